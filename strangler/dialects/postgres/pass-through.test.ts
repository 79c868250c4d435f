import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../../chassis/index.ts';
import { Replication } from '../../replication/replication.ts';
import { defineMapping, rename, same } from '../../mapping/index.ts';
import { ParkedError } from '../../sides/side-database.ts';
import { openSides } from '../../sides/sides.ts';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';

const things = defineMapping({
  capability: 'things',
  pairs: [
    {
      name: 'things',
      legacy: { table: 'THINGS' },
      extracted: { table: 'things' },
      key: [rename('NO', 'id')],
      columns: [
        rename('NAME', 'name'),
        same('price', 'price'),
        same('on', 'on'),
        same('at', 'at'),
        same('doc', 'doc'),
        same('$raw', '$raw'),
        same('big', 'big'),
      ],
    },
  ],
});

const REST = `price NUMERIC(12,2), "on" BOOLEAN, at TIMESTAMPTZ(3), doc JSONB, "$raw" BYTEA, big BIGINT`;

const schemas = {
  legacy: `CREATE TABLE "THINGS" ("NO" INTEGER PRIMARY KEY, "NAME" TEXT, ${REST})`,
  extracted: `CREATE TABLE things (id BIGINT PRIMARY KEY, name VARCHAR(9) UNIQUE, ${REST})`,
};

const ALL = [
  `INSERT INTO "THINGS" SELECT i, 'n' || i, i + 0.5, i % 2 = 0, '2026-01-31 09:30:00Z', '{"a": 1}',
     NULL, i FROM generate_series(1, 50) i`,
  // What JSON has no word for, beside what it has.
  `UPDATE "THINGS" SET "$raw" = '\\x00ff', big = 9007199254740993 WHERE "NO" IN (3, 7)`,
  `UPDATE "THINGS" SET "NAME" = E'"\\n\\t\\\\ é', doc = '{"$int": "1"}' WHERE "NO" = 9`,
  // Gone and there again, and gone for good; names that change hands.
  `DELETE FROM "THINGS" WHERE "NO" IN (5, 6)`,
  `INSERT INTO "THINGS" ("NO", "NAME") VALUES (5, 'n6')`,
  `UPDATE "THINGS" SET "NO" = 60 WHERE "NO" = 8`,
  `UPDATE "THINGS" SET "NO" = -1 WHERE "NO" = 60`,
];

describe('images that pass as they are', () => {
  it('become the same rows, new ones and known ones, whatever is among them', () =>
    withSidesOf(
      'postgres',
      async ({ urls, legacy, extracted }) => {
        const databases = openSides(things, urls);
        const log = createLog('test', 'silent');
        const replication = new Replication({ mapping: things, databases, log });
        const expectSame = async (besides = 'true'): Promise<void> => {
          const [theirs, ours] = await Promise.all([
            legacy.rows(`SELECT t::text FROM "THINGS" t WHERE ${besides} ORDER BY "NO"`),
            extracted.rows('SELECT t::text FROM things t ORDER BY id'),
          ]);
          expect(ours).toEqual(theirs);
        };
        await replication.install();
        await replication.start();
        try {
          await legacy.run(ALL.join(';'));
          await replication.drainTo(await databases.legacy.feed.last());
          await expectSame();
          await legacy.run(`UPDATE "THINGS" SET price = -price; INSERT INTO "THINGS" VALUES (99)`);
          await replication.drainTo(await databases.legacy.feed.last());
          await expectSame();
          await legacy.run(
            `INSERT INTO "THINGS" ("NO", "NAME") VALUES (100, 'fits'), (101, 'fits not at all'), (102, 'too')`,
          );
          const parked = replication.drainTo(await databases.legacy.feed.last());
          await expect(parked).rejects.toThrow(ParkedError);
          await expectSame('"NO" <> 101');
          expect(await databases.extracted.parked.list()).toMatchObject([
            { key: { NO: 101 }, reason: expect.stringContaining('too long') },
          ]);
        } finally {
          await replication.stop();
        }
      },
      schemas,
    ));
});
