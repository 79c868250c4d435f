import { describe, expect, it } from '@jest/globals';
import { dialectsOfRun } from '../../tests/support/index.ts';
import { diagnose, examine } from '../doctor/index.ts';
import { cascade, defineMapping, prefixed, same } from '../mapping/index.ts';
import type { Mapping, PairSide } from '../mapping/index.ts';
import type { Change } from '../ledger/store.ts';
import { handOver } from '../../tests/strangler/support/hand-over.ts';
import { withMoved, withMoving } from '../../tests/strangler/support/moving.ts';
import type { MovingSides } from '../../tests/strangler/support/moving.ts';
import { oneTable } from '../../tests/strangler/support/one-table.ts';

type References = NonNullable<PairSide['references']>;

function stock(references: References): Mapping {
  return oneTable({ capability: 'stock', table: 'item', columns: ['name'], references });
}

const MOVED = 'CREATE TABLE item (k INT PRIMARY KEY, name TEXT UNIQUE)';
const PARENT = 'CREATE TABLE item (k INT PRIMARY KEY, name TEXT NOT NULL UNIQUE)';
/** Two tables that stay: lines go with their item, notes outlive it. */
const CHILDREN = `
  CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE CASCADE);
  CREATE INDEX line_item ON line (item);
  CREATE TABLE note (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE SET NULL);
  CREATE INDEX note_item ON note (item);`;
const BOTH = { 'line(item)': cascade, 'note(item)': cascade };

describe.each(dialectsOfRun)('a cascade across the border on %s', (dialect) => {
  /** Three items with their children, whose owner is the service. */
  const withService = (work: (sides: MovingSides) => Promise<void>): Promise<void> =>
    withMoved(
      {
        mapping: stock(BOTH),
        legacy: [dialect, `${PARENT}; ${CHILDREN}`],
        extracted: [dialect, MOVED],
      },
      async (sides) => {
        const { replication, sessions } = sides;
        await sessions.legacy.run(
          `INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c');
           INSERT INTO line VALUES (1, 1), (2, 1), (3, 2), (4, NULL);
           INSERT INTO note VALUES (1, 1), (2, 2), (3, NULL)`,
        );
        await replication.barrier();
        await handOver(replication, 'legacy');
        await work(sides);
      },
    );

  const children = async ({ sessions }: MovingSides): Promise<readonly string[]> => {
    const rows = await sessions.legacy.rows<{ t: string; k: number; item: number | null }>(
      `SELECT 'line' AS t, k, item FROM line UNION ALL SELECT 'note', k, item FROM note ORDER BY 1, 2`,
    );
    return rows.map(({ t, k, item }) => `${t} ${k} of ${item}`);
  };

  const ALL = [
    'line 1 of 1',
    'line 2 of 1',
    'line 3 of 2',
    'line 4 of null',
    'note 1 of 1',
    'note 2 of 2',
    'note 3 of null',
  ];
  /** Once the item 1 is deleted. */
  const WITHOUT_1 = [
    'line 3 of 2',
    'line 4 of null',
    'note 1 of null',
    'note 2 of 2',
    'note 3 of null',
  ];

  it('is carried out for rows that the service deletes, and for no others', () =>
    withService(async (sides) => {
      const { replication, sessions, databases } = sides;
      await sessions.extracted.run(
        `DELETE FROM item WHERE k IN (1, 3); UPDATE item SET name = 'd' WHERE k = 2`,
      );
      await replication.barrier();
      expect(await children(sides)).toEqual(WITHOUT_1);
      expect(await replication.reconcile()).toMatchObject({ clean: true, dangling: [] });
      const findings = diagnose(await examine('stock', databases), null);
      expect(findings.map(({ code }) => code)).not.toContain('dangling_rows');
    }));

  it('is carried out for a key that another one takes the place of', () =>
    withService(async (sides) => {
      await sides.sessions.extracted.run('UPDATE item SET k = 9 WHERE k = 1');
      await sides.replication.barrier();
      expect(await children(sides)).toEqual(WITHOUT_1);
    }));

  it('leaves the children of a row that is deleted and inserted again', () =>
    withService(async (sides) => {
      await sides.sessions.extracted.run(
        `BEGIN; DELETE FROM item WHERE k = 1; INSERT INTO item VALUES (1, 'again'); COMMIT`,
      );
      await sides.replication.barrier();
      expect(await children(sides)).toEqual(ALL);
      expect(await sides.replication.reconcile()).toMatchObject({ clean: true });
    }));

  it('leaves them, too, where what is inserted again is parked, and goes on beside it', () =>
    withService(async (sides) => {
      const { replication, sessions } = sides;
      await sessions.extracted.run(
        `BEGIN; DELETE FROM item WHERE k = 1; INSERT INTO item VALUES (1, NULL);
         DELETE FROM item WHERE k = 2; COMMIT`,
      );
      await expect(replication.barrier()).rejects.toThrow(/parked/);
      expect(await children(sides)).toEqual([
        'line 1 of 1',
        'line 2 of 1',
        'line 4 of null',
        'note 1 of 1',
        'note 2 of null',
        'note 3 of null',
      ]);
    }));

  it('is carried out for a delete that was parked, once what it waited for is gone', () =>
    withMoved(
      {
        mapping: defineMapping({
          capability: 'stock',
          pairs: [
            {
              name: 'shelf',
              legacy: { table: 'shelf' },
              extracted: { table: 'shelf' },
              key: [same('k', 'k')],
              columns: [same('name', 'name')],
            },
            {
              name: 'item',
              legacy: { table: 'item', references: BOTH },
              extracted: { table: 'item' },
              key: [same('k', 'k')],
              columns: [same('shelf', 'shelf')],
              partOf: { pair: 'shelf', by: ['shelf'] },
            },
          ],
        }),
        legacy: [
          dialect,
          `CREATE TABLE shelf (k INT PRIMARY KEY, name TEXT NOT NULL);
           CREATE TABLE item (k INT PRIMARY KEY, shelf INT); ${CHILDREN}`,
        ],
        extracted: [
          dialect,
          `CREATE TABLE shelf (k INT PRIMARY KEY, name TEXT);
           CREATE TABLE item (k INT PRIMARY KEY, shelf INT)`,
        ],
      },
      async (sides) => {
        const { replication, sessions, databases } = sides;
        await sessions.legacy.run(
          `INSERT INTO shelf VALUES (1, 'a'); INSERT INTO item VALUES (7, 1);
           INSERT INTO line VALUES (1, 7); INSERT INTO note VALUES (1, 7)`,
        );
        await replication.barrier();
        await handOver(replication, 'legacy');
        await sessions.extracted.run('UPDATE shelf SET name = NULL');
        await sessions.extracted.run('DELETE FROM item');
        await expect(replication.barrier()).rejects.toThrow(/parked/);
        expect(await databases.legacy.parked.list()).toHaveLength(2);
        await sessions.extracted.run('DELETE FROM shelf');
        await replication.barrier();
        expect(await children(sides)).toEqual(['note 1 of null']);
        expect(await replication.reconcile()).toMatchObject({ clean: true, dangling: [] });
      },
    ));

  it('leaves the children of a row that a copy takes out for a while', () =>
    withService(async (sides) => {
      const { replication, sessions, databases } = sides;
      const { epoch } = await databases.extracted.store.fence();
      await replication.halt();
      await sessions.legacy.run('UPDATE fig_install SET complete = ' + NO[dialect]);
      const rows = await sessions.legacy.rows<{ position: number | string }>(
        `SELECT position FROM fig_applied WHERE feed_of = 'extracted'`,
      );
      const after = Number(rows[0]?.position ?? 0);
      const upsert = (position: number, k: number, name: string): Change => {
        const of = { table: 'item', key: { k }, op: 'upsert', image: { k, name } } as const;
        return { position, tx: position, ...of, epoch, at: 0 };
      };
      const apply = (changes: readonly Change[], from: number): Promise<unknown> =>
        databases.legacy.applySlice(epoch, {
          capability: 'stock',
          feedOf: 'extracted',
          after: from,
          upto: from + changes.length,
          changes,
        });
      // What holds 'a' here is newer than this, and its own change is still to come.
      await apply([upsert(after + 1, 2, 'a')], after);
      expect(await sessions.legacy.rows('SELECT k FROM item WHERE k = 1')).toEqual([]);
      await apply([upsert(after + 2, 1, 'e')], after + 1);
      expect(await children(sides)).toEqual(ALL);
    }));
});

const SLOTS = defineMapping({
  capability: 'slots',
  pairs: [
    {
      name: 'slot',
      legacy: { table: 'Slot', references: { 'Visit(Day, Room)': cascade } },
      extracted: { table: 'slot' },
      key: [prefixed('Room', 'room', 'r-'), same('Day', 'day')],
      columns: [],
    },
  ],
});

describe.each(dialectsOfRun)('a cascade by a key of two columns on %s', (dialect) => {
  it('is carried out where both are the same', () =>
    withMoved(
      {
        mapping: SLOTS,
        legacy: [
          dialect,
          `CREATE TABLE "Slot" ("Room" TEXT, "Day" INT, PRIMARY KEY ("Room", "Day"),
             UNIQUE ("Day", "Room"));
           CREATE TABLE "Visit" ("Nr" INT PRIMARY KEY, "Day" INT, "Room" TEXT,
             FOREIGN KEY ("Day", "Room") REFERENCES "Slot" ("Day", "Room") ON DELETE CASCADE);
           CREATE INDEX visit_slot ON "Visit" ("Room", "Day")`,
        ],
        extracted: [
          dialect,
          'CREATE TABLE slot (room TEXT, day INT, PRIMARY KEY (room, day), UNIQUE (day, room))',
        ],
      },
      async ({ replication, sessions }) => {
        await sessions.legacy.run(
          `INSERT INTO "Slot" VALUES ('a', 1), ('a', 2), ('b', 1);
           INSERT INTO "Visit" VALUES (1, 1, 'a'), (2, 2, 'a'), (3, 1, 'b'), (4, 1, NULL)`,
        );
        await replication.barrier();
        await handOver(replication, 'legacy');
        await sessions.extracted.run(`DELETE FROM slot WHERE room = 'r-a' AND day = 1`);
        await replication.barrier();
        const left = await sessions.legacy.rows<{ n: number }>(
          'SELECT "Nr" AS n FROM "Visit" ORDER BY 1',
        );
        expect(left.map(({ n }) => n)).toEqual([2, 3, 4]);
      },
    ));
});

const NO = { sqlite: '0', postgres: 'false' } as const;

/** What keeps a cascade from being carried out, and the words in which the check says so. */
const REFUSED: readonly (readonly [why: string, tables: string, words: string])[] = [
  [
    'it does nothing of that kind',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k));
     CREATE INDEX line_item ON line (item)`,
    'ON DELETE NO ACTION leaves nothing to carry out',
  ],
  [
    'keys may be changed by it',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE CASCADE ON UPDATE CASCADE);
     CREATE INDEX line_item ON line (item)`,
    'ON UPDATE CASCADE is not carried out',
  ],
  [
    'it names another column than the key',
    `CREATE TABLE line (k INT PRIMARY KEY, item TEXT REFERENCES item (name) ON DELETE CASCADE);
     CREATE INDEX line_item ON line (item)`,
    'it names item(name), and rows are deleted by item(k)',
  ],
  [
    'no index finds the children',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE CASCADE)`,
    'no index finds rows of line by (item)',
  ],
  [
    'the children may not be without a parent',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT NOT NULL REFERENCES item (k) ON DELETE SET NULL);
     CREATE INDEX line_item ON line (item)`,
    'line.item takes no NULL',
  ],
  [
    'the children are parents of others',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE CASCADE);
     CREATE INDEX line_item ON line (item);
     CREATE TABLE part (k INT PRIMARY KEY, line INT REFERENCES line (k) ON DELETE CASCADE)`,
    'rows of part refer to those of line by part(line)',
  ],
  [
    'the children are parents of each other',
    `CREATE TABLE line (k INT PRIMARY KEY, item INT REFERENCES item (k) ON DELETE CASCADE,
       above INT REFERENCES line (k));
     CREATE INDEX line_item ON line (item)`,
    'rows of line refer to those of line by line(above)',
  ],
];

const TRIGGER = {
  sqlite: `CREATE TRIGGER line_gone AFTER DELETE ON line BEGIN SELECT 1; END`,
  postgres: `CREATE FUNCTION line_gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
    CREATE TRIGGER line_gone AFTER DELETE ON line FOR EACH ROW EXECUTE FUNCTION line_gone()`,
} as const;

describe.each(dialectsOfRun)('a cascade that is to be carried out on %s', (dialect) => {
  const messages = (tables: string, references: References): Promise<readonly string[]> =>
    withMoving(
      {
        mapping: stock(references),
        legacy: [dialect, `${PARENT}; ${tables}`],
        extracted: [dialect, MOVED.replace('TEXT', 'TEXT NOT NULL')],
      },
      async ({ check }) =>
        (await check()).findings.map(({ code, message }) => `${code}: ${message}`),
    );

  it('is taken where it can be', async () => expect(await messages(CHILDREN, BOTH)).toEqual([]));

  it.each(REFUSED)('is refused where %s', async (_, tables, words) => {
    const [told, ...rest] = await messages(tables, { 'line(item)': cascade });
    expect(rest).toEqual([]);
    expect(told).toMatch(/^border_reference: legacy table item: line\(item\) refers to item/);
    expect(told).toContain(words);
    expect(told).toContain(`give 'line(item)' a reason`);
  });

  it('is refused where the children have triggers', async () => {
    const [told] = await messages(`${CHILDREN}; ${TRIGGER[dialect]}`, BOTH);
    expect(told).toContain('line has a trigger line_gone');
  });

  it('is refused where the parent does not move, since the engine applies no deletes there', async () => {
    const told = await messages(
      `CREATE TABLE kind (k INT PRIMARY KEY); ALTER TABLE item
         ADD COLUMN kind INT REFERENCES kind (k) ON DELETE CASCADE`,
      { 'item(kind)': cascade },
    );
    expect(told).toContainEqual(
      expect.stringMatching(
        /^border_reference.*item\(kind\) refers to kind.*nothing is applied to them/,
      ),
    );
  });

  it('is refused where there is no such foreign key', async () =>
    expect(await messages('', { 'line(items)': cascade })).toEqual([
      expect.stringContaining(`no foreign key line(items) refers to item`),
    ]));

  it('takes children that are parents by another column than the one that is set to NULL', async () =>
    expect(
      await messages(
        `${CHILDREN} CREATE TABLE mark (k INT PRIMARY KEY, note INT REFERENCES note (k))`,
        BOTH,
      ),
    ).toEqual([]));
});
