import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

/**
 * Words of the order system: all that the console, the facade and the engine know of it comes as data.
 * (The singular of "orders" is also how rows are sorted.)
 */
const DOMAIN =
  /\b(skus?|stock|inventory|payments?|orders|orderId|carts?|shipping|refunds?|products?|catalogue)\b/i;

function sources(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.test.ts'))
    .map((path) => join(folder, path));
}

/** Prose, messages and the CLI's help may give an example. */
function withoutProse(source: string): string {
  return source
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll(/such as "?[\w.]+"?/g, '')
    .replaceAll(/\bfig [^\\\n'`]*/g, '');
}

describe.each(['console', 'facade', 'routing', 'strangler'])('%s/', (folder) => {
  it('names nothing of the order system in its code', () => {
    const found = sources(folder).flatMap((path) =>
      withoutProse(readFileSync(join(projectRoot, path), 'utf8'))
        .split('\n')
        .filter((line) => DOMAIN.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });

  it('has sources that this test has read', () => {
    expect(sources(folder).length).toBeGreaterThan(5);
  });
});
