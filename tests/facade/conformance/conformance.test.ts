import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../system/index.ts';
import { runAll } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';
import { rowOf, rowsIn } from './table.ts';
import { nginxVersion } from './target.ts';

describe('HTTP', () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(async () => {
    outcomes = await runAll();
  }, 120_000);

  it('is treated as it must be, case by case', () => {
    const seen = outcomes.map(({ each, ours }) => `${each.group}: ${each.name}: ${ours}`);
    const expected = outcomes.map(({ each }) => `${each.group}: ${each.name}: ${each.ours}`);
    expect(seen).toEqual(expected);
    expect(seen.length).toBeGreaterThan(100);
  });

  it('is treated as docs/architecture/http-conformance.md says', async () => {
    const file = join(projectRoot, 'docs', 'architecture', 'http-conformance.md');
    const { nginx, rows } = rowsIn(await readFile(file, 'utf8'));
    // Another nginx may do other things; that is no fault of this page.
    const columns = nginx === nginxVersion() ? 4 : 3;
    const told = rows.map((row) => row.slice(0, columns));
    expect(told).toEqual(outcomes.map((outcome) => rowOf(outcome).slice(0, columns)));
  });
});
