import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { eventually, inSoak, temporaryPostgresDatabase } from '../../../tests/support/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import { openSide } from '../../sides/sides.ts';
import type { Change } from '../../ledger/store.ts';
import { postgresShopSchema } from '../../../tests/strangler/support/postgres-shop.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';

interface Bench {
  readonly url: string;
  readonly side: SideDatabase;
  /** Sessions of people at a prompt. */
  readonly sessions: readonly Client[];
}

async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const database = await temporaryPostgresDatabase();
  const { url } = database;
  const side = openSide(url, shop, 'legacy');
  const sessions = Array.from({ length: 4 }, () => new Client({ connectionString: url }));
  try {
    await Promise.all(sessions.map((session) => session.connect()));
    await sessions[0]?.query(postgresShopSchema.legacy);
    await side.install();
    await work({ url, side, sessions });
  } finally {
    await side.close();
    await Promise.all(sessions.map((session) => session.end()));
    await database.drop();
  }
}

/** All changes of a feed, in slices of a few; what was read is checked to have no gaps. */
async function readAll({ feed }: SideDatabase, after: number, limit: number): Promise<Change[]> {
  const found: Change[] = [];
  for (let position = after; ;) {
    const slice = await feed.read(position, limit);
    expect(slice.changes.map((change) => change.position)).toEqual(
      slice.changes.map((_, index) => position + index + 1),
    );
    if (slice.changes.length === 0) return found;
    found.push(...slice.changes);
    position = slice.upto;
  }
}

/** What one session does next: a change of its open transaction, its end, or a look at the feed. */
const step = fc.record({
  session: fc.nat(3),
  act: fc.constantFrom('write', 'write', 'write', 'commit', 'rollback', 'read'),
});

describe('the feed of a PostgreSQL database', () => {
  it('holds whole transactions, densely numbered, none of them passed over', () =>
    withBench(async ({ side, sessions }) => {
      let [key, after] = [0, 1];
      const run = async (steps: readonly { session: number; act: string }[]): Promise<void> => {
        const committed: string[][] = [];
        const open = new Map<number, string[]>();
        const found: Change[] = [];
        const end = async (session: number, how: string): Promise<void> => {
          const written = open.get(session);
          if (!written) return;
          open.delete(session);
          await sessions[session]?.query(how);
          if (how === 'commit') committed.push(written);
        };
        for (const { session, act } of steps) {
          if (act === 'read') found.push(...(await readAll(side, after + found.length, 3)));
          else if (act !== 'write') await end(session, act);
          else {
            const client = sessions[session];
            if (!open.has(session)) await client?.query('BEGIN');
            // Each session writes rows of its own and one of all, for which others would wait.
            key += 1;
            await client?.query('INSERT INTO "STOCK" VALUES ($1, 1, 0, NULL)', [`k${key}`]);
            open.set(session, [...(open.get(session) ?? []), `k${key}`]);
          }
        }
        for (const session of open.keys()) await end(session, 'commit');
        found.push(...(await readAll(side, after + found.length, 3)));
        const transactions = grouped(found);
        const inFeed = [...transactions.values()].map((changes) =>
          changes.map((change) => String(change.key['SKU'])),
        );
        // None was cut by another.
        expect(inFeed.flat()).toEqual(found.map((change) => String(change.key['SKU'])));
        expect(inFeed.map((keys) => keys.join()).sort()).toEqual(
          committed.map((keys) => keys.join()).sort(),
        );
        after += found.length;
      };
      await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), run), {
        numRuns: inSoak(40, 10),
      });
    }));

  it('has one row’s changes in the order in which they were committed', () =>
    withBench(async ({ side, sessions }) => {
      await sessions[0]?.query(`INSERT INTO "STOCK" VALUES ('hot', 0, 0, NULL)`);
      const count = 40;
      await Promise.all(
        sessions.map(async (session, index) => {
          for (let round = 0; round < count; round += 1) {
            await session.query('BEGIN');
            // Numbers are drawn before and after the row they fight for.
            await session.query('INSERT INTO "STOCK" VALUES ($1, 1, 0, NULL)', [
              `${index} ${round}`,
            ]);
            await session.query(`UPDATE "STOCK" SET "QTY" = "QTY" + 1 WHERE "SKU" = 'hot'`);
            await session.query('COMMIT');
            if (index === 0) await side.feed.last();
          }
        }),
      );
      const hot = (await readAll(side, 1, 50)).filter((change) => change.key['SKU'] === 'hot');
      expect(hot.map(({ image }) => image?.['QTY'])).toEqual(
        Array.from({ length: 4 * count + 1 }, (_, index) => index),
      );
    }));

  it('goes on behind a transaction that is open for long, and takes it when it comes', () =>
    withBench(async ({ side, sessions: [slow, quick] }) => {
      await slow?.query('BEGIN');
      await slow?.query(`INSERT INTO "STOCK" VALUES ('slow', 1, 0, NULL)`);
      for (let round = 0; round < 5; round += 1) {
        await quick?.query('INSERT INTO "STOCK" VALUES ($1, 1, 0, NULL)', [`quick ${round}`]);
        expect(await side.feed.last()).toBe(2 + round);
      }
      await slow?.query('COMMIT');
      expect(await side.feed.last()).toBe(7);
      const [last] = (await side.feed.read(6, 10)).changes;
      expect(last?.key).toEqual({ SKU: 'slow' });
    }));

  it('wakes whoever watches it when something is committed, and after its connection was cut', () =>
    withBench(async ({ side, sessions: [own, other] }) => {
      let woken = 0;
      const watch = side.watch(() => (woken += 1));
      watch.ensure();
      // It tells once by itself when it begins to listen.
      await eventually(() => expect(woken).toBe(1));
      await own?.query(`INSERT INTO "STOCK" VALUES ('a', 1, 0, NULL)`);
      await eventually(() => expect(woken).toBe(2));
      await other?.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'fig engine listening' AND datname = current_database()`,
      );
      await eventually(() => {
        watch.ensure();
        expect(woken).toBe(3);
      });
      await own?.query(`DELETE FROM "STOCK"`);
      await eventually(() => expect(woken).toBe(4));
      watch.close();
    }));

  it('keeps what is asked for again in the order of its row, whoever writes to it meanwhile', () =>
    withBench(async ({ side, sessions: [writer] }) => {
      await writer?.query(`INSERT INTO "STOCK" VALUES ('a', 1, 0, NULL)`);
      await writer?.query('BEGIN');
      await writer?.query(`UPDATE "STOCK" SET "QTY" = 2`);
      const named = [{ table: 'STOCK', key: { SKU: 'a' } }];
      const asked = side.reEmit(named);
      await eventually(async () => {
        const { rows } = (await writer?.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        )) ?? { rows: [] };
        expect(rows).toHaveLength(1);
      });
      await writer?.query('COMMIT');
      await asked;
      const changes = await readAll(side, 1, 10);
      expect(changes.map(({ op, image }) => [op, image?.['QTY']])).toEqual([
        ['upsert', 1],
        ['upsert', 2],
        ['refresh', 2],
      ]);
    }));
});

/** Changes by transaction, in the order of their first ones. */
function grouped(changes: readonly Change[]): Map<number, Change[]> {
  const groups = new Map<number, Change[]>();
  for (const change of changes) groups.set(change.tx, [...(groups.get(change.tx) ?? []), change]);
  return groups;
}
