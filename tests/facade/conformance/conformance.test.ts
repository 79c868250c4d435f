import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../system/index.ts';
import { inSoak } from '../../support/index.ts';
import { cases } from './cases.ts';
import { runCases } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';
import { rowOf, rowsIn } from './table.ts';
import { nginxVersion } from './target.ts';

/** Every so many cases one is run, the first of them among them. */
const STRIDE = inSoak(1, 6);
const isRun = (_each: unknown, index: number): boolean => index % STRIDE === 0;

describe('HTTP', () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(async () => {
    outcomes = await runCases(cases.filter(isRun));
  }, 120_000);

  it('is treated as it must be, case by case', () => {
    const seen = outcomes.map(({ each, ours }) => `${each.group}: ${each.name}: ${ours}`);
    const expected = outcomes.map(({ each }) => `${each.group}: ${each.name}: ${each.ours}`);
    expect(seen).toEqual(expected);
    expect(seen.length).toBeGreaterThan(100 / STRIDE);
  });

  it('is treated as docs/architecture/http-conformance.md says', async () => {
    const file = join(projectRoot, 'docs', 'architecture', 'http-conformance.md');
    const { nginx, rows } = rowsIn(await readFile(file, 'utf8'));
    expect(rows).toHaveLength(cases.length);
    // Another nginx may do other things; that is no fault of this page.
    const columns = nginx === nginxVersion() ? 4 : 3;
    const told = rows.filter(isRun).map((row) => row.slice(0, columns));
    expect(told).toEqual(outcomes.map((outcome) => rowOf(outcome).slice(0, columns)));
  });
});
