import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createFenceGuard, openDatabase, ownerTransaction } from '../../chassis/index.ts';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import { checkMapping, defineMapping } from '../mapping/index.ts';
import { openSides } from '../sides/sides.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import type { Change, HandoverRecord, Lease } from '../ledger/store.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, Session } from '../../tests/strangler/support/dialects.ts';
import { till, tillSchema } from '../../tests/strangler/support/till.ts';

interface Stage {
  readonly urls: Readonly<Record<SideName, string>>;
  readonly sides: Readonly<Record<SideName, SideDatabase>>;
  readonly legacy: Session;
  readonly extracted: Session;
}

/** A sale and an item of A, and a sale of B, at legacy; A's fence there is what a test makes it. */
function withTill(dialect: Dialect, work: (stage: Stage) => Promise<void>): Promise<void> {
  return withSidesOf(
    dialect,
    async ({ urls, legacy, extracted }) => {
      const sides = openSides(till, urls);
      try {
        await legacy.run(`INSERT INTO "SALE" VALUES ('s1', 'A', 'r1', 1), ('s2', 'B', 'r2', 2)`);
        await legacy.run(`INSERT INTO "ITEM" VALUES ('s1', 1, 'A', 'tea')`);
        await sides.extracted.install();
        await sides.legacy.install();
        await work({ urls, sides, legacy, extracted });
      } finally {
        await sides.legacy.close();
        await sides.extracted.close();
      }
    },
    tillSchema,
  );
}

/** By its text: which test file loaded the driver first decides whose kind of error it is. */
const told = (message: RegExp) => ({ message: expect.stringMatching(message) as unknown });

const cede = (session: Session): Promise<void> =>
  session.run(
    `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ('till', 'A', 'ceded', 2)`,
  );

const salesOf = ({ legacy }: Stage): Promise<unknown[]> =>
  legacy.rows(`SELECT * FROM "SALE" ORDER BY "SALE_NO"`);

function change(op: Change['op'], customer: string): Change {
  const image = { SALE_NO: 's1', CUST_NO: customer, REF: 'r1', AMT: 9 };
  const key = { SALE_NO: 's1' };
  const rest = { position: 1, tx: 1, table: 'SALE', epoch: 1, at: 0 };
  return { ...rest, key, op, image: op === 'delete' ? null : image };
}

describe.each(dialectsOfRun)('fences by key on %s', (dialect) => {
  it('let everything pass at the owner, and nothing at the other side, while no key has its own', () =>
    withTill(dialect, async ({ legacy, extracted }) => {
      await legacy.run(`UPDATE "SALE" SET "CUST_NO" = 'C' WHERE "SALE_NO" = 's1'`);
      await expect(
        extracted.run(`INSERT INTO sales VALUES ('s', 'A', 'x', 1)`),
      ).rejects.toMatchObject(told(/FENCED/));
    }));

  it.each([
    ['a new row of the key', `INSERT INTO "SALE" VALUES ('s3', 'A', 'r3', 3)`],
    ['a row that leaves the key', `UPDATE "SALE" SET "CUST_NO" = 'B' WHERE "SALE_NO" = 's1'`],
    ['a row that comes to the key', `UPDATE "SALE" SET "CUST_NO" = 'A' WHERE "SALE_NO" = 's2'`],
    ['one of many rows', `UPDATE "SALE" SET "AMT" = 7`],
    ['the end of a row', `DELETE FROM "ITEM" WHERE "SALE_NO" = 's1'`],
    [
      'a row of another that takes its place',
      `INSERT INTO "SALE" VALUES ('s1', 'B', 'r9', 3)
         ON CONFLICT ("SALE_NO") DO UPDATE SET "CUST_NO" = 'B'`,
    ],
  ])('refuse %s, by old and by new key', (_what, sql) =>
    withTill(dialect, async (stage) => {
      await cede(stage.legacy);
      const before = await salesOf(stage);
      await expect(stage.legacy.run(sql)).rejects.toMatchObject(told(/FENCED/));
      expect(await salesOf(stage)).toEqual(before);
    }),
  );

  it('let the other keys pass, also those that nobody has seen before', () =>
    withTill(dialect, async ({ legacy, sides }) => {
      await cede(legacy);
      await legacy.run(`UPDATE "SALE" SET "AMT" = 7 WHERE "CUST_NO" = 'B'`);
      await legacy.run(`INSERT INTO "SALE" VALUES ('s4', 'D', NULL, 3)`);
      expect(await sides.legacy.store.knownKeys()).toEqual(['A', 'B', 'D']);
    }));

  it('let single keys pass where the rest is not owned', () =>
    withTill(dialect, async ({ extracted }) => {
      await extracted.run(
        `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ('till', 'A', 'open', 2)`,
      );
      await extracted.run(`INSERT INTO sales VALUES ('s5', 'A', 'x', 1)`);
      await expect(
        extracted.run(`INSERT INTO sales VALUES ('s6', 'B', 'y', 1)`),
      ).rejects.toMatchObject(told(/FENCED/));
    }));

  it('are asked by the guard of a program as they are by the triggers, which says whose refused', () =>
    withTill(dialect, async ({ urls, legacy }) => {
      const guard = createFenceGuard({ capability: 'till', whenAbsent: 'open' });
      const database = await openDatabase(urls.legacy);
      const write = (key?: string): Promise<string> =>
        ownerTransaction(database, guard, () => Promise.resolve('written'), key);
      try {
        expect([await write('A'), await write()]).toEqual(['written', 'written']);
        await cede(legacy);
        await expect(write('A')).rejects.toMatchObject({ key: 'A', state: 'ceded', epoch: 2 });
        expect([await write('B'), await write()]).toEqual(['written', 'written']);
        await legacy.run(`UPDATE fig_fence SET state = 'closed', epoch = 3 WHERE key = '*'`);
        await expect(write('B')).rejects.toMatchObject({ key: undefined, state: 'closed' });
        await expect(write('A')).rejects.toMatchObject({ key: 'A', state: 'ceded' });
      } finally {
        await database.close();
      }
    }));

  it('refuse rows of the other side for a key that is owned here, by old and by new key', () =>
    withTill(dialect, async ({ sides, legacy, extracted }) => {
      const apply = (what: Change, position: number, epoch = 2) => {
        const changes = [{ ...what, position }];
        const [after, upto] = [position - 1, position];
        const slice = { capability: 'till', feedOf: 'legacy' as const, after, upto, changes };
        return sides.extracted.applySlice(epoch, slice);
      };
      await extracted.run(
        `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ('till', 'A', 'open', 2)`,
      );
      await extracted.run(`INSERT INTO sales VALUES ('s1', 'A', 'r1', 1)`);
      const refused = { reason: expect.stringMatching(/OWNED HERE/) };
      for (const [nr, key] of ['A', 'B'].entries()) await apply(change('upsert', key), nr + 1);
      expect(await sides.extracted.parked.list()).toMatchObject([refused, { reason: null }]);
      // A delete takes the place of what is parked of its row, and is refused as well.
      await apply(change('delete', 'A'), 3);
      expect(await sides.extracted.parked.list()).toMatchObject([{ ...refused, op: 'delete' }]);
      expect(await extracted.rows(`SELECT amount FROM sales`)).toEqual([{ amount: 1 }]);
      // Of a key that it does not own it takes them, at the newest epoch of all fences only.
      await cede(legacy);
      const image = { SALE_NO: 's2', CUST_NO: 'B', REF: 'r2', AMT: 2 };
      const other = { ...change('upsert', 'B'), key: { SALE_NO: 's2' }, image };
      await expect(apply(other, 4, 1)).rejects.toMatchObject(told(/at epoch 2/));
      expect(await apply(other, 4)).toMatchObject({ position: 4, parked: [] });
    }));

  it('tell a transaction by the key whether it may pass', () =>
    withTill(dialect, async ({ legacy, sides }) => {
      await cede(legacy);
      const fences = await sides.legacy.store.fences();
      expect([fences.of('A').state, fences.of('B').state]).toEqual(['ceded', 'open']);
      if (dialect !== 'postgres') return;
      const ask = (key: string) => legacy.rows(`SELECT * FROM fig_fence_held('till', '${key}')`);
      expect(await ask('A')).toEqual([{ state: 'ceded', epoch: '2' }]);
      expect(await ask('B')).toEqual([{ state: 'open', epoch: '1' }]);
    }));
});

/** Begins a handover of A at legacy, and closes its fence there. */
async function closeKey({ sides }: Stage): Promise<boolean> {
  const { store } = sides.legacy;
  const lease = (await store.acquireLease('a', 60_000)) as Lease;
  const record: HandoverRecord = {
    id: 'h1',
    capability: 'till',
    from: 'legacy',
    to: 'extracted',
    epoch: 2,
    deadline: 0,
    position: null,
    outcome: null,
    reason: null,
    startedAt: 0,
    finishedAt: null,
    keys: ['A'],
  };
  await store.beginHandover(record, lease);
  const move = { from: { state: 'open', epoch: 1 }, to: { state: 'closed', epoch: 2 } } as const;
  return store.step({ handover: 'h1', step: 'close', detail: null }, lease, {
    ...move,
    keys: ['A'],
  });
}

async function withSession(
  { urls }: Stage,
  work: (session: Client) => Promise<void>,
): Promise<void> {
  const session = new Client({ connectionString: urls.legacy });
  await session.connect();
  try {
    await work(session);
  } finally {
    await session.end();
  }
}

const more = `UPDATE "SALE" SET "AMT" = "AMT" + 1 WHERE "CUST_NO" = 'A'`;

describe('a key that gets a fence of its own on PostgreSQL', () => {
  it('is closed behind those who passed by that of the rest', () =>
    withTill('postgres', (stage) =>
      withSession(stage, async (writer) => {
        await writer.query(`BEGIN; ${more}`);
        const closing = closeKey(stage);
        const waiting = `SELECT FROM pg_stat_activity WHERE wait_event = 'advisory'`;
        await eventually(async () => {
          expect(await stage.legacy.rows(waiting)).toHaveLength(1);
        });
        // The same transaction may go on: it began before.
        await writer.query(`${more}; COMMIT`);
        expect(await closing).toBe(true);
        await expect(writer.query(more)).rejects.toMatchObject(told(/FENCED: till is closed/));
        const sales = `SELECT "AMT" AS amount FROM "SALE" WHERE "CUST_NO" = 'A'`;
        expect(await stage.legacy.rows(sales)).toEqual([{ amount: 3 }]);
      }),
    ));

  it.each([
    ['writes', more],
    ['asks', `SELECT * FROM fig_fence_held('till', 'A')`],
  ])('is noticed by a transaction with an older snapshot that %s', (_how, sql) =>
    withTill('postgres', (stage) =>
      withSession(stage, async (old) => {
        await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM "SALE"');
        expect(await closeKey(stage)).toBe(true);
        await expect(old.query(sql)).rejects.toMatchObject({ code: '40001' });
      }),
    ),
  );
});

describe('rows that a REPLACE deletes without a word', () => {
  it.each([
    ['by their key', `REPLACE INTO "SALE" VALUES ('s1', 'B', 'r9', 3)`],
    ['by another unique value', `REPLACE INTO "SALE" VALUES ('s9', 'B', 'r1', 3)`],
    ['by an update', `UPDATE OR REPLACE "SALE" SET "REF" = 'r1' WHERE "SALE_NO" = 's2'`],
  ])('keep their owner %s', (_how, sql) =>
    withTill('sqlite', async (stage) => {
      await cede(stage.legacy);
      const before = await salesOf(stage);
      await expect(stage.legacy.run(sql)).rejects.toMatchObject(told(/FENCED/));
      expect(await salesOf(stage)).toEqual(before);
    }),
  );
});

describe('a mapping by whose keys cohorts may move', () => {
  it('needs the key in every pair', () => {
    const [sales, items] = till.pairs;
    const without = { ...(items as NonNullable<typeof items>), columns: [] };
    const { capability, cohortKey } = till;
    const pairs = sales ? [sales, without] : [];
    const problems = checkMapping(
      defineMapping({ capability, ...(cohortKey && { cohortKey }), pairs }),
    );
    expect(problems).toMatchObject([
      {
        code: 'cohort_key_not_carried',
        pair: 'items',
        message: expect.stringMatching(/CUST_NO of ITEM/),
      },
    ]);
  });

  it.each(dialectsOfRun)('needs it in every row on %s', (dialect) =>
    withSidesOf(
      dialect,
      async ({ urls }) => {
        const { legacy, extracted } = openSides(till, urls);
        try {
          expect(await legacy.problems()).toMatchObject([
            {
              code: 'cohort_key_nullable',
              message: expect.stringMatching(/SALE: CUST_NO may be null/),
            },
          ]);
          expect(await extracted.problems()).toEqual([]);
        } finally {
          await legacy.close();
          await extracted.close();
        }
      },
      {
        ...tillSchema,
        legacy: tillSchema.legacy.replace('"CUST_NO" TEXT NOT NULL', '"CUST_NO" TEXT'),
      },
    ),
  );
});

describe('fences by key on PostgreSQL', () => {
  it.each([
    ['renamed', 'ALTER TABLE "SALE" RENAME "CUST_NO" TO "BUYER"', `('s3', 'B', 'r3', 3)`],
    ['dropped', 'ALTER TABLE "SALE" DROP "CUST_NO"', `('s3', 'r3', 3)`],
  ])(
    'fail no write after the column was %s that says whose a row is, and tell of it',
    (_, ddl, row) =>
      withTill('postgres', async ({ legacy, sides }) => {
        await cede(legacy);
        await legacy.run(ddl);
        await legacy.run(`INSERT INTO "SALE" VALUES ${row}`);
        await legacy.run(`UPDATE "SALE" SET "AMT" = 7 WHERE "SALE_NO" = 's2'`);
        await legacy.run(`DELETE FROM "SALE" WHERE "SALE_NO" = 's2'`);
        const drift = (await sides.legacy.checks.drift()).join('\n');
        expect(drift).toMatch(/table SALE: writes since .+ were not captured \(column .*CUST_NO/);
        // What has the column still refuses those of the key that the other side owns.
        await expect(
          legacy.run(`UPDATE "ITEM" SET "WHAT" = 'milk' WHERE "CUST_NO" = 'A'`),
        ).rejects.toMatchObject(told(/FENCED/));
        await legacy.run(`UPDATE fig_fence SET state = 'ceded' WHERE key = '*'`);
        await expect(legacy.run('DELETE FROM "SALE"')).rejects.toMatchObject(told(/FENCED/));
      }),
  );
});
