import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

const MOST_FILES = 15;
const MOST_LINES = 2_500;
const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

describe('the tour of the code', () => {
  const tour = read('docs/architecture/tour.md');
  const stops = Array.from(tour.matchAll(/^\d+\. \[`(.+?)`\]\(\.\.\/\.\.\/(.+?)\)/gm));
  const lines = stops
    .map(([, file = '']) => read(file).split('\n').length - 1)
    .reduce((sum, count) => sum + count, 0);

  it('can be read in an afternoon', () => {
    expect(stops.length).toBeGreaterThan(9);
    expect(stops.length).toBeLessThanOrEqual(MOST_FILES);
    expect(lines).toBeLessThanOrEqual(MOST_LINES);
  });

  it('links to the files that it names, and says about how many lines they have', () => {
    for (const [, file, link] of stops) expect(link).toBe(file);
    const [, said = ''] = /files, ([\d,]+) lines/.exec(tour) ?? [];
    expect(Math.abs(Number(said.replace(',', '')) - lines)).toBeLessThan(100);
  });

  it('names files and folders that exist where a change goes', () => {
    const [, table = ''] = tour.split('## Where a change goes');
    const paths = Array.from(table.matchAll(/`([\w/.-]+[/\w])`/g), ([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(6);
    for (const path of paths) expect(existsSync(join(projectRoot, path))).toBe(true);
  });
});
