import Database from 'better-sqlite3';
import { describe, expect, it } from '@jest/globals';
import { createProgress } from '../../rehearsal/index.ts';
import { eventually } from '../support/index.ts';
import { fileOf } from './base/rows.ts';
import { withStand } from './base/stand.ts';
import { brokenPromises, comeToRest } from './base/verdict.ts';
import { startHand } from './feed/hand.ts';

describe('the verdict', () => {
  it('names what was changed past the feed, and what the hand wrote and is gone', () => {
    const { signal } = new AbortController();
    return withStand(
      { seed: 1, progress: createProgress(process.stderr), signal },
      async (stand) => {
        const { system, fig, traffic } = stand;
        const hand = await startHand(system, 'payment', 1);
        expect(await fig('backfill', 'inventory')).toMatchObject({ code: 0 });
        expect(await fig('backfill', 'payment')).toMatchObject({ code: 0 });
        await traffic.reached(0.0005);
        await eventually(() => hand.done > 30);
        await hand.stop();
        const owners = await comeToRest(stand);
        expect([await hand.lost('legacy'), await hand.lost('extracted')]).toEqual([[], []]);
        expect(await brokenPromises(stand, owners)).toEqual([]);

        const prompt = new Database(fileOf(system, 'payment', 'extracted'), { timeout: 5_000 });
        prompt.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
        UPDATE payments SET amount_minor = amount_minor + 1 WHERE id LIKE 'HAND-%';
        UPDATE fig_clock SET applying = 0; COMMIT`);
        prompt.close();
        expect(await hand.lost('legacy')).toEqual([]);
        expect((await hand.lost('extracted')).length).toBeGreaterThan(0);
        const broken = (await brokenPromises(stand, owners)).join('\n');
        expect(broken).toMatch(/fig reconcile payment finds \d+ rows that differ/);
        expect(broken).toMatch(/payment: extracted payments lacks .*HAND-P/);
      },
    );
  }, 600_000);
});
