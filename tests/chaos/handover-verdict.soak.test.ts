import Database from 'better-sqlite3';
import { describe, expect, it } from '@jest/globals';
import { createProgress } from '../../rehearsal/index.ts';
import { eventually } from '../support/index.ts';
import { fileOf } from './base/rows.ts';
import { withStand } from './base/stand.ts';
import { brokenPromises, comeToRest } from './base/verdict.ts';
import { PROCESSES } from './handover/plan.ts';
import { judgeWriters, othersOf } from './handover/verdict.ts';
import { startWriters } from './handover/writers.ts';

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
  }, 600_000);
});
