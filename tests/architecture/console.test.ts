import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseSync } from '@swc/core';
import { projectRoot } from '../../system/index.ts';

/** Packages that become part of the page. */
const PACKAGES = /^(preact|uplot|vite)(\/|$)/;
/** What it is sent is described there. */
const DESCRIBED = new Set(['facade/admin/index.ts', 'strangler/engine/index.ts']);
/** The one folder of ours whose code may become part of the page: words that need nothing. */
const WORDS = 'chassis/text/index.ts';

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

function importsIn(source: string): readonly Import[] {
  const { body } = parseSync(source, { syntax: 'typescript', tsx: true });
  return body.flatMap((node) => {
    if (node.type === 'ImportDeclaration') {
      return [{ from: node.source.value, isType: node.typeOnly }];
    }
    const again =
      node.type === 'ExportAllDeclaration' || node.type === 'ExportNamedDeclaration'
        ? node.source?.value
        : undefined;
    return again === undefined ? [] : [{ from: again, isType: false }];
  });
}

/** Imports of a file of the console that would bring code of another folder into a browser. */
function offencesIn(path: string, source: string): readonly string[] {
  return importsIn(source)
    .filter(({ from, isType }) => {
      if (!from.startsWith('.')) return !PACKAGES.test(from);
      const to = posix.join(posix.dirname(path), from);
      return !to.startsWith('console/') && to !== WORDS && !(isType && DESCRIBED.has(to));
    })
    .map(({ from }) => `${path} imports ${from}`);
}

describe('console/', () => {
  const paths = readdirSync(join(projectRoot, 'console'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => posix.join('console', name));

  it('imports types of what it is sent, and of our code words alone', () => {
    expect(paths.length).toBeGreaterThan(15);
    const sources = paths.map((path) => [path, readFileSync(join(projectRoot, path), 'utf8')]);
    expect(sources.flatMap(([path = '', source = '']) => offencesIn(path, source))).toEqual([]);
  });

  it.each([
    "import { Engine } from '../strangler/engine/index.ts';",
    "import type { Engine } from '../strangler/engine/engine.ts';",
    "import { readFileSync } from 'node:fs';",
    "import { duration } from '../chassis/text/duration.ts';",
    "import { within } from '../chassis/index.ts';",
    "export * from '../facade/admin/index.ts';",
  ])('is refused where it does otherwise: %s', (line) => {
    expect(offencesIn('console/view.tsx', `${line}\nexport const view = <p />;`)).toHaveLength(1);
  });
});
