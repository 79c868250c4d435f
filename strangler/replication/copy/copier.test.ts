import { describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createLog } from '../../../chassis/index.ts';
import { built, eventually } from '../../../tests/support/index.ts';
import { Replication } from '../replication.ts';
import { openSides } from '../../sides/sides.ts';
import { contentOfExtracted, expectedOfLegacy } from '../../../tests/strangler/support/history.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import type { Sides } from '../../../tests/strangler/support/sides.ts';
import { withTraffic } from '../../../tests/strangler/support/traffic.ts';

const ROWS = 3_000;
const FILL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO STOCK SELECT 'bulk' || i, i, i / 2, NULL FROM n;`;

function open({ urls }: Sides): Replication {
  const databases = openSides(shop, urls);
  return new Replication({ mapping: shop, databases, log: createLog('test', 'silent') });
}

async function withFilled(
  work: (sides: Sides, replication: Replication) => Promise<void>,
  begin: (sides: Sides) => Promise<void> = async () => undefined,
): Promise<void> {
  await withSides(async (sides) => {
    sides.legacy.exec(FILL);
    await begin(sides);
    const replication = open(sides);
    try {
      await replication.install();
      await replication.start();
      await work(sides, replication);
    } finally {
      await replication.stop();
    }
  });
}

async function rows(replication: Replication): Promise<number> {
  return (await replication.status()).backfill.rows;
}

/** Copies a part of the rows, slowly, and dies of SIGKILL. */
async function copyAndDie({ urls, extracted }: Sides): Promise<void> {
  const script = built(
    new URL('../../../tests/strangler/support/copy-process.ts', import.meta.url),
  );
  const engine = fork(script, [urls.legacy, urls.extracted, '400'], {
    execArgv: ['--enable-source-maps'],
  });
  const copied = (): number => {
    const sum = 'SELECT total(rows) FROM fig_backfill';
    return extracted.prepare(sum).pluck().get() as number;
  };
  try {
    await eventually(() => copied() > 100, { intervalMs: 5 });
  } finally {
    engine.kill('SIGKILL');
    await once(engine, 'exit');
  }
  expect(copied()).toBeLessThan(ROWS);
}

describe('a copy', () => {
  it('goes on after kill -9 where it was, no faster than it may, until the limit is lifted', () =>
    withFilled(async (sides, replication) => {
      const before = await rows(replication);
      expect(before).toBeGreaterThan(100);
      expect((await replication.status()).backfill).toMatchObject({ running: true, limit: 400 });
      await withTraffic(sides.legacy, 'legacy', 3, async () => {
        const started = performance.now();
        await eventually(async () => (await rows(replication)) > before + 200, { intervalMs: 5 });
        // A piece of a tenth of a second may be ahead, and half a second of rest is made up for.
        const seconds = (performance.now() - started) / 1000;
        expect((await rows(replication)) - before).toBeLessThan(400 * (seconds + 0.7));
        await replication.backfill({ rate: null });
      });
      const { backfill } = await replication.status();
      expect(backfill).toMatchObject({ complete: true, running: false, limit: null });
      await replication.barrier();
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
    }, copyAndDie));

  it('is slowed down while it runs', () =>
    withFilled(async (_sides, replication) => {
      const copying = replication.backfill({ rate: 1_000 });
      await eventually(async () => (await rows(replication)) > 100, { intervalMs: 5 });
      void replication.backfill({ rate: 1 });
      await eventually(async () => (await replication.status()).backfill.limit === 1);
      const slow = await rows(replication);
      const { backfill } = await replication.status();
      expect(backfill.running).toBe(true);
      expect(backfill.etaMs).toBeGreaterThan(0);
      await replication.backfill({ rate: null });
      await copying;
      expect(slow).toBeLessThan(ROWS);
    }));

  it('that is asked for anew ends the one that runs, and begins from the start', () =>
    withFilled(async (sides, replication) => {
      const first = replication.backfill({ rate: 500 });
      const ended = expect(first).rejects.toThrow('a new copy was asked for');
      await eventually(async () => (await rows(replication)) > 100, { intervalMs: 5 });
      sides.extracted.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
        UPDATE levels SET on_hand = 77777 WHERE sku = 'bulk1';
        UPDATE fig_clock SET applying = 0; COMMIT`);
      await replication.backfill({ restart: true, rate: null });
      await ended;
      await replication.barrier();
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
    }));

  it('says so when its end can not come, instead of waiting for it', () =>
    withFilled(
      async (_sides, replication) => {
        // It has gone on by itself: every row is there, and what has to be applied never comes.
        await eventually(async () =>
          expect((await replication.status()).backfill.problem).not.toBeNull(),
        );
        const { backfill } = await replication.status();
        expect(backfill).toMatchObject({ running: false, complete: false, rows: 2 * ROWS });
        expect(backfill.problem).toMatch(/a database was restored or its feed was cut/);
        await replication.backfill({ restart: true });
        expect((await replication.status()).backfill).toMatchObject({
          complete: true,
          problem: null,
        });
      },
      async (sides) => {
        const replication = open(sides);
        await replication.install();
        await replication.start();
        await replication.backfill();
        await replication.stop();
        // As if the owner's database had been made anew, while the copy was all but whole.
        sides.extracted.exec(`UPDATE fig_install SET complete = 0;
          UPDATE fig_applied SET position = position + 100000;
          UPDATE fig_backfill SET ready_position = ready_position + 200000`);
      },
    ));
});
