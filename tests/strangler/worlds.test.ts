import { describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { createLog } from '../../chassis/index.ts';
import { built, inSoak, withRedis } from '../support/index.ts';
import { checkCapability } from '../../strangler/check/index.ts';
import { Replication } from '../../strangler/replication/replication.ts';
import type { SideName } from '../../routing/side.ts';
import { openInspectors, openSides } from '../../strangler/sides/sides.ts';
import { handOver } from './support/hand-over.ts';
import { withDatabases } from './support/owners.ts';
import type { Owners, Pairing } from './support/owners.ts';
import { Books, shownRows } from './support/worlds/books.ts';
import { asSql, historyOf } from './support/worlds/deeds.ts';
import type { Deed } from './support/worlds/deeds.ts';
import { openKeeper } from './support/worlds/keeper.ts';
import type { Keeper } from './support/worlds/keeper.ts';
import { worldsOf } from './support/worlds/world.ts';
import type { World } from './support/worlds/world.ts';

const log = createLog('test', 'silent');

const [LITE, POSTGRES] = ['sqlite', 'postgres'] as const;

/** Who keeps things where, and how many worlds are tried: a database of PostgreSQL takes its time. */
const PAIRINGS: readonly (Pairing & { readonly runs: number })[] = [
  { legacy: LITE, extracted: LITE, runs: inSoak(25, 4) },
  { legacy: POSTGRES, extracted: POSTGRES, runs: inSoak(6, 1) },
  { legacy: LITE, extracted: POSTGRES, runs: inSoak(6, 1) },
];

/** A world, what it holds at first, and what happens at its owners, one after the other. */
const storiesOf = (pairing: Pairing) =>
  worldsOf(pairing).chain((world) =>
    fc.record({
      world: fc.constant(world),
      before: historyOf(world, { min: 0, max: 15 }),
      rounds: fc.tuple(
        historyOf(world, { min: 0, max: 15 }),
        historyOf(world, { min: 0, max: 15 }),
        historyOf(world, { min: 0, max: 15 }),
      ),
    }),
  );

const OWNERS: readonly SideName[] = ['legacy', 'extracted', 'legacy'];

interface Sides {
  readonly urls: Owners['urls'];
  readonly keepers: Readonly<Record<SideName, Keeper>>;
}

function withWorld(
  pairing: Pairing,
  { schemas }: World,
  work: (sides: Sides) => Promise<void>,
): Promise<void> {
  return withDatabases(pairing, schemas, async (urls) => {
    const keepers = {
      legacy: await openKeeper(urls.legacy),
      extracted: await openKeeper(urls.extracted),
    };
    try {
      await work({ urls, keepers });
    } finally {
      await keepers.legacy.close();
      await keepers.extracted.close();
    }
  });
}

function makeReplication({ mapping }: World, { urls }: Sides, redisUrl: string): Replication {
  return new Replication({ mapping, databases: openSides(mapping, urls), redisUrl, log });
}

async function take(
  { keepers }: Sides,
  owner: SideName,
  books: Books,
  deeds: readonly Deed[],
): Promise<void> {
  if (await keepers[owner].happen(asSql(owner, deeds))) books.keep(deeds);
}

async function expectBoth(world: World, { keepers }: Sides, books: Books): Promise<void> {
  for (const side of ['legacy', 'extracted'] as const) {
    expect(await shownRows(world, side, keepers[side])).toEqual(books.rows(world, side));
  }
}

async function expectAccepted({ mapping }: World, sides: Sides): Promise<void> {
  const inspectors = await openInspectors(mapping, sides.urls);
  const { findings } = await checkCapability({ mapping, inspectors, measure: true });
  await inspectors.legacy.close();
  await inspectors.extracted.close();
  expect(findings).toEqual([]);
}

const REPLICATION = built(new URL('support/replication-process.ts', import.meta.url));
const KILLS = inSoak(2, 1);
const LATEST_MS = 150;
const WRITE_MS = 2;

/** Deeds without end, the same for the same seed. */
function* endless(world: World, seed: number): Generator<readonly Deed[]> {
  for (let more = seed; ; more += 1) {
    const history = historyOf(world, { min: 50, max: 50 });
    yield* fc.sample(history, { seed: more, numRuns: 1 })[0] ?? [];
  }
}

describe.each(PAIRINGS)(
  'any schemas on $legacy and $extracted that a mapping can join',
  (pairing) => {
    it(
      'agree after any history, in both directions, whatever becomes of engine and Redis',
      () =>
        withRedis(async (redis) => {
          const prompt = new Redis(redis.url);
          try {
            await fc.assert(
              fc.asyncProperty(storiesOf(pairing), ({ world, before, rounds }) =>
                withWorld(pairing, world, async (sides) => {
                  const books = new Books();
                  for (const deeds of before) await take(sides, 'legacy', books, deeds);
                  await expectAccepted(world, sides);
                  let replication = makeReplication(world, sides, redis.url);
                  try {
                    await replication.install();
                    await replication.start();
                    let copied = replication.backfill();
                    for (const [index, owner] of OWNERS.entries()) {
                      for (const [moment, deeds] of (rounds[index] ?? []).entries()) {
                        await take(sides, owner, books, deeds);
                        if (moment % 4 === 1) await prompt.flushall();
                        if (moment % 7 !== 3) continue;
                        await replication.stop();
                        await copied.catch(() => undefined);
                        replication = makeReplication(world, sides, redis.url);
                        await replication.start();
                        copied = replication.backfill();
                      }
                      await copied;
                      await replication.barrier(10_000);
                      await expectBoth(world, sides, books);
                      expect(await replication.reconcile()).toMatchObject({
                        clean: true,
                        rows: [],
                      });
                      await handOver(replication, owner);
                    }
                  } finally {
                    await replication.stop();
                  }
                }),
              ),
              { numRuns: pairing.runs },
            );
            prompt.disconnect();
          } finally {
            prompt.disconnect();
          }
        }),
      120_000,
    );
  },
);

/** Engines take their time to load: once for each dialect is enough. */
const ALIKE = PAIRINGS.filter(({ legacy, extracted }) => legacy === extracted).slice(
  0,
  inSoak(2, 1),
);

describe.each(ALIKE)(
  'any schemas on $legacy and $extracted that a mapping can join, and an engine that dies',
  (pairing) => {
    it(
      'agree though it is killed again and again',
      () =>
        withRedis(async (redis) => {
          const seed = 3;
          const [world] = fc.sample(worldsOf(pairing), { seed, numRuns: 1 });
          if (world === undefined) throw new Error('no world');
          await withWorld(pairing, world, async (sides) => {
            const books = new Books();
            const deeds = endless(world, seed);
            const words = [String(seed), sides.urls.legacy, sides.urls.extracted, redis.url];
            // They take their time to load, and are told to begin.
            const engines = Array.from({ length: 2 * KILLS }, () =>
              fork(REPLICATION, words, { execArgv: ['--enable-source-maps'] }),
            );
            try {
              for (const owner of ['legacy', 'extracted'] as const) {
                const write = (): Promise<void> => take(sides, owner, books, deeds.next().value);
                await whileWriting(write, async () => {
                  for (let kill = 0; kill < KILLS; kill += 1)
                    await beginAndKill(engines.shift(), kill);
                });
                const replication = makeReplication(world, sides, redis.url);
                await replication.start();
                await replication.backfill();
                await replication.barrier(20_000);
                await expectBoth(world, sides, books);
                await handOver(replication, owner);
                await replication.stop();
              }
            } finally {
              for (const engine of engines) engine.kill('SIGKILL');
            }
          });
        }),
      120_000,
    );
  },
);

/** Writes one thing after the other while `work` is done. */
async function whileWriting(write: () => Promise<void>, work: () => Promise<void>): Promise<void> {
  const writing = { on: true };
  const written = (async () => {
    while (writing.on) {
      await write();
      await delay(WRITE_MS);
    }
  })();
  try {
    await work();
  } finally {
    writing.on = false;
    await written;
  }
}

/** Lets an engine begin, and kills it at once, or a little later. */
async function beginAndKill(engine: ChildProcess | undefined, kill: number): Promise<void> {
  if (engine === undefined) throw new Error('no engine is left');
  const begun = once(engine, 'message');
  engine.send('begin');
  await begun;
  await delay((LATEST_MS * kill) / KILLS);
  engine.kill('SIGKILL');
  await once(engine, 'exit');
}
