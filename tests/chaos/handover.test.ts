import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it } from '@jest/globals';
import { createProgress } from '../../rehearsal/index.ts';
import { eventually, withTempDir } from '../support/index.ts';
import { fileOf } from './base/rows.ts';
import type { RunReport } from './base/runs.ts';
import { withStand } from './base/stand.ts';
import { brokenPromises, comeToRest } from './base/verdict.ts';
import { planHandovers, PROCESSES } from './handover/plan.ts';
import { judgeWriters, othersOf } from './handover/verdict.ts';
import { startWriters } from './handover/writers.ts';

const RUNS = 3;

interface Report {
  readonly runs: readonly (RunReport & { readonly seed: number })[];
}

async function chaosHandover(words: readonly string[]): Promise<{ code: number; out: string }> {
  const main = fileURLToPath(new URL('handover/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (text: Buffer) => (out += String(text)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out };
}

describe('handovers in the middle of which something is killed', () => {
  it(
    'lose no write that a client was told of, and repeat none',
    () =>
      withTempDir(async (directory) => {
        const json = join(directory, 'report.json');
        const words = ['--runs', String(RUNS), '--seed', '1', '--json', json];
        expect(await chaosHandover(words)).toEqual({
          code: 0,
          out: `${RUNS} runs: nothing was lost\n`,
        });
        const { runs } = JSON.parse(await readFile(json, 'utf8')) as Report;
        expect(runs).toHaveLength(RUNS);
        for (const { facts } of runs) {
          expect(facts['handovers']).toBe(6);
          expect(facts['outages']).toBeGreaterThan(2);
          expect(facts['writes']).toBeGreaterThan(100);
          expect(facts).toMatchObject({ inventory: 'extracted', payment: 'extracted' });
        }
      }),
    900_000,
  );

  it('are planned by the seed alone', () => {
    expect(planHandovers(5)).toEqual(planHandovers(5));
    expect(planHandovers(5)).not.toEqual(planHandovers(6));
  });
});

describe('the verdict on the writers', () => {
  it('names what is lost, what is there twice, and what was undone', () => {
    const { signal } = new AbortController();
    const progress = createProgress(process.stderr);
    return withStand({ seed: 1, progress, signal, processes: PROCESSES }, async (stand) => {
      const writers = startWriters(stand, 1);
      await eventually(() => writers.told.length > 60);
      await writers.stop();
      const owners = await comeToRest(stand);
      expect(await judgeWriters(stand, owners, writers)).toEqual([]);
      const others = await othersOf(stand, owners, writers.told);
      expect(await brokenPromises(stand, owners, others)).toEqual([]);

      const monolith = new Database(fileOf(stand.system, 'inventory', 'legacy'), {
        timeout: 5_000,
      });
      const [lost, twice] = writers.told.filter(({ kind }) => kind === 'adjustment');
      const paid = writers.told.find(({ kind }) => kind === 'payment');
      monolith.prepare('DELETE FROM INV_ADJ WHERE RSN_TXT = ?').run(lost?.key);
      monolith
        .prepare(
          `INSERT INTO INV_ADJ SELECT 'again', SKU_CD, DLT_QTY, RSN_TXT, CRT_TS FROM INV_ADJ
             WHERE RSN_TXT = ?`,
        )
        .run(twice?.key);
      monolith.prepare(`UPDATE PAY_TXN SET STAT_CD = 'P' WHERE ORD_NO = ?`).run(paid?.key);
      monolith.close();
      const broken = await judgeWriters(stand, owners, writers);
      expect(broken.join('\n')).toContain(`(${lost?.key}), whose client was told 201, is stored 0`);
      expect(broken.join('\n')).toContain(
        `(${twice?.key}), whose client was told 201, took effect twice`,
      );
      expect(broken.join('\n')).toContain(`(${paid?.key}), whose client was told 201, is stored 0`);
    });
  }, 180_000);
});
