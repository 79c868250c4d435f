import { describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createLog } from '../../chassis/index.ts';
import { built, eventually } from '../../tests/support/index.ts';
import { DataPlane } from '../data-plane.ts';
import { openSides } from '../sides.ts';
import { contentOfExtracted, expectedOfLegacy } from '../testing/history.ts';
import { shop } from '../testing/shop.ts';
import { withSides } from '../testing/sides.ts';
import type { Sides } from '../testing/sides.ts';
import { withTraffic } from '../testing/traffic.ts';

const ROWS = 3_000;
const FILL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO STOCK SELECT 'bulk' || i, i, i / 2, NULL FROM n;`;

function open({ urls }: Sides): DataPlane {
  const databases = openSides(shop, urls);
  return new DataPlane({ mapping: shop, databases, log: createLog('test', 'silent') });
}

async function withFilled(
  work: (sides: Sides, plane: DataPlane) => Promise<void>,
  begin: (sides: Sides) => Promise<void> = async () => undefined,
): Promise<void> {
  await withSides(async (sides) => {
    sides.legacy.exec(FILL);
    await begin(sides);
    const plane = open(sides);
    try {
      await plane.install();
      await plane.start();
      await work(sides, plane);
    } finally {
      await plane.stop();
    }
  });
}

async function rows(plane: DataPlane): Promise<number> {
  return (await plane.status()).backfill.rows;
}

/** Copies a part of the rows, slowly, and dies of SIGKILL. */
async function copyAndDie({ urls, extracted }: Sides): Promise<void> {
  const script = built(new URL('../testing/copy-process.ts', import.meta.url));
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
    withFilled(async (sides, plane) => {
      const before = await rows(plane);
      expect(before).toBeGreaterThan(100);
      expect((await plane.status()).backfill).toMatchObject({ running: true, limit: 400 });
      await withTraffic(sides.legacy, 'legacy', 3, async () => {
        const started = performance.now();
        await eventually(async () => (await rows(plane)) > before + 200, { intervalMs: 5 });
        // A piece of a tenth of a second may be ahead, and half a second of rest is made up for.
        const seconds = (performance.now() - started) / 1000;
        expect((await rows(plane)) - before).toBeLessThan(400 * (seconds + 0.7));
        await plane.backfill({ rate: null });
      });
      const { backfill } = await plane.status();
      expect(backfill).toMatchObject({ complete: true, running: false, limit: null });
      await plane.barrier();
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
    }, copyAndDie));

  it('is slowed down while it runs', () =>
    withFilled(async (_sides, plane) => {
      const copying = plane.backfill({ rate: 1_000 });
      await eventually(async () => (await rows(plane)) > 100, { intervalMs: 5 });
      void plane.backfill({ rate: 1 });
      await eventually(async () => (await plane.status()).backfill.limit === 1);
      const slow = await rows(plane);
      const { backfill } = await plane.status();
      expect(backfill.running).toBe(true);
      expect(backfill.etaMs).toBeGreaterThan(0);
      await plane.backfill({ rate: null });
      await copying;
      expect(slow).toBeLessThan(ROWS);
    }));

  it('that is asked for anew ends the one that runs, and begins from the start', () =>
    withFilled(async (sides, plane) => {
      const first = plane.backfill({ rate: 500 });
      const ended = expect(first).rejects.toThrow('a new copy was asked for');
      await eventually(async () => (await rows(plane)) > 100, { intervalMs: 5 });
      sides.extracted.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
        UPDATE levels SET on_hand = 77777 WHERE sku = 'bulk1';
        UPDATE fig_clock SET applying = 0; COMMIT`);
      await plane.backfill({ restart: true, rate: null });
      await ended;
      await plane.barrier();
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
    }));

  it('says so when its end can not come, instead of waiting for it', () =>
    withFilled(
      async (_sides, plane) => {
        // It has gone on by itself: every row is there, and what has to be applied never comes.
        await eventually(async () =>
          expect((await plane.status()).backfill.problem).not.toBeNull(),
        );
        const { backfill } = await plane.status();
        expect(backfill).toMatchObject({ running: false, complete: false, rows: 2 * ROWS });
        expect(backfill.problem).toMatch(/a database was restored or its feed was cut/);
        await plane.backfill({ restart: true });
        expect((await plane.status()).backfill).toMatchObject({ complete: true, problem: null });
      },
      async (sides) => {
        const plane = open(sides);
        await plane.install();
        await plane.start();
        await plane.backfill();
        await plane.stop();
        // As if the owner's database had been made anew, while the copy was all but whole.
        sides.extracted.exec(`UPDATE fig_install SET complete = 0;
          UPDATE fig_applied SET position = position + 100000;
          UPDATE fig_backfill SET ready_position = ready_position + 200000`);
      },
    ));
});
