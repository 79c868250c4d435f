import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

/** Imports that are there when the code runs, by what they import. */
function loadedBy(source: string): readonly string[] {
  const imports = source.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from '([^']+)';/gm);
  return [...imports].map(([, from = '']) => from);
}

const folder = join(projectRoot, 'guard');
const files = readdirSync(folder).filter((name) => !name.endsWith('.test.ts'));

describe('the kit for services', () => {
  it('loads no driver and no framework: a service has its own', () => {
    const loaded = files.flatMap((name) => loadedBy(readFileSync(join(folder, name), 'utf8')));
    expect(loaded.length).toBeGreaterThan(files.length);
    expect(loaded.filter((from) => !/^(\.\/|node:)/.test(from))).toEqual([]);
  });

  it('would be found out if it did', () => {
    const source = `import type { Pool } from 'pg';\nimport {\n  a,\n} from './a.ts';\nimport knex from 'knex';`;
    expect(loadedBy(source)).toEqual(['./a.ts', 'knex']);
  });
});
