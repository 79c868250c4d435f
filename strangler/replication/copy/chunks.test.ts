import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../../tests/support/index.ts';
import type { Dialect } from '../../../chassis/index.ts';
import {
  constant,
  decimalToMinor,
  defineMapping,
  derived,
  enumeration,
  equalBy,
  jsonDocument,
  prefixed,
  same,
  secret,
  timestamp,
  transform,
  unsignedZero,
} from '../../mapping/index.ts';
import type { Codec } from '../../mapping/index.ts';
import { handOver } from '../../../tests/strangler/support/hand-over.ts';
import { withMoved } from '../../../tests/strangler/support/moving.ts';
import type { MovingSides } from '../../../tests/strangler/support/moving.ts';

const upper = (legacy: string, extracted: string): Codec =>
  transform(legacy, extracted, {
    name: 'upper',
    forward: (value) => String(value).toUpperCase(),
    backward: (value) => String(value).toLowerCase(),
  });

/** Every codec there is, in the key where it may be, and in a column. */
const codecs = defineMapping({
  capability: 'codecs',
  pairs: [
    {
      name: 'plain',
      legacy: { table: 'plain' },
      extracted: { table: 'plain' },
      key: [same('k', 'k')],
      columns: [
        same('v', 'v'),
        enumeration('e', 'e', { a: 'one', b: 'two' }),
        decimalToMinor('d', 'd', 2),
        timestamp('t', 't'),
        prefixed('p', 'p', 'p:'),
        upper('u', 'u'),
        secret(same('s', 's')),
        constant('legacy', 'c', 'left'),
        constant('extracted', 'c', 7),
        derived('extracted', same('v', 'again'), 'v says it'),
        equalBy(same('z', 'z'), unsignedZero),
        equalBy(same('j', 'j'), jsonDocument),
        equalBy(same('w', 'w'), { name: 'case', normal: (value) => String(value).toLowerCase() }),
      ],
    },
    {
      name: 'marked',
      legacy: { table: 'marked' },
      extracted: { table: 'marked' },
      key: [constant('extracted', 'kind', 'm'), prefixed('k', 'k', 'marked:')],
      columns: [same('v', 'v')],
    },
    {
      name: 'double',
      legacy: { table: 'double' },
      extracted: { table: 'double' },
      key: [constant('legacy', 'kind', 3), same('k', 'k'), prefixed('no', 'no', '#')],
      columns: [],
    },
  ],
});

const TABLES = {
  legacy: `
    CREATE TABLE plain (k TEXT PRIMARY KEY, v INTEGER, e TEXT, d TEXT, t TEXT, p TEXT, u TEXT,
      s TEXT, c TEXT, z DOUBLE PRECISION, j JSON, w TEXT);
    CREATE TABLE marked (k TEXT PRIMARY KEY, v INTEGER);
    CREATE TABLE double (kind INTEGER, k TEXT, no TEXT, PRIMARY KEY (kind, k, no));`,
  extracted: `
    CREATE TABLE plain (k TEXT PRIMARY KEY, v INTEGER, e TEXT, d BIGINT, t BIGINT, p TEXT, u TEXT,
      s TEXT, c INTEGER, again INTEGER, z BIGINT, j JSONB, w TEXT);
    CREATE TABLE marked (kind TEXT, k TEXT, v INTEGER, PRIMARY KEY (kind, k));
    CREATE TABLE double (k TEXT, no TEXT, PRIMARY KEY (k, no));`,
} as const;

/** Rows numbered from `first`, as the owner's program writes them. */
const ROWS = {
  legacy: (i: string) => [
    `INSERT INTO plain SELECT 'k' || ${i}, ${i}, 'a', '12.05', '2026-01-31 09:30:00.000', 'x', 'low',
       'hush', 'left', '-0', '{"b": 1.50,  "a": [2]}', 'Mixed' FROM n`,
    `INSERT INTO marked SELECT 'k' || ${i}, ${i} FROM n`,
    `INSERT INTO double SELECT 3, 'k' || ${i}, 'x' FROM n`,
  ],
  extracted: (i: string) => [
    `INSERT INTO plain SELECT 'k' || ${i}, ${i}, 'two', 1205, 1769851800000, 'p:x', 'LOW', 'hush', 7,
       ${i}, 0, '{"a": [2], "b": 1.50}', 'Mixed' FROM n`,
    `INSERT INTO marked SELECT 'm', 'marked:k' || ${i}, ${i} FROM n`,
    `INSERT INTO double SELECT 'k' || ${i}, '#x' FROM n`,
  ],
};
const DAMAGE = {
  legacy: [`UPDATE plain SET v = -1 WHERE v = 1`, `DELETE FROM marked`, `DELETE FROM double`],
  extracted: [`UPDATE plain SET v = -1 WHERE v = 1`, `DELETE FROM marked`, `DELETE FROM double`],
};

/** Rows of one read, in copying and in comparing, and what lies around them. */
const SIZES = inSoak([0, 1, 100, 199, 200, 201, 600], [0, 1, 200, 201]);

async function fill(
  { sessions }: MovingSides,
  owner: 'legacy' | 'extracted',
  from: number,
  to: number,
) {
  if (from === to) return;
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ${from + 1} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})`;
  for (const insert of ROWS[owner]('i')) await sessions[owner].run(`${numbers} ${insert}`);
}

async function asApplier(
  { sessions }: MovingSides,
  dialect: Dialect,
  side: 'legacy' | 'extracted',
) {
  const [on, off] =
    dialect === 'sqlite'
      ? ['BEGIN; UPDATE fig_clock SET applying = 1', 'UPDATE fig_clock SET applying = 0; COMMIT']
      : [`BEGIN; SET LOCAL fig.applying = 'on'`, 'COMMIT'];
  await sessions[side].run(`${on}; ${DAMAGE[side].join('; ')}; ${off}`);
}

const PAIRINGS = [
  ['sqlite', 'sqlite'],
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
  ['postgres', 'postgres'],
] as const;

describe.each(inSoak<readonly (typeof PAIRINGS)[number][]>(PAIRINGS, [PAIRINGS[0]]))(
  'pieces of every size, from %s to %s',
  (legacy, extracted) => {
    const moving = {
      mapping: codecs,
      legacy: [legacy, TABLES.legacy],
      extracted: [extracted, TABLES.extracted],
    } as const;

    it.each(['legacy', 'extracted'] as const)(
      'are copied, compared and repaired, owned by %s',
      (owner) =>
        withMoved(moving, async (sides) => {
          const { replication } = sides;
          if (owner === 'extracted') await handOver(replication, 'legacy');
          const other = owner === 'legacy' ? 'extracted' : 'legacy';
          let filled = 0;
          for (const size of SIZES) {
            await fill(sides, owner, filled, size);
            filled = size;
            await replication.barrier();
            expect(await replication.reconcile()).toMatchObject({ clean: true, rows: [] });
            await replication.backfill({ restart: true });
            await replication.barrier();
            await asApplier(sides, other === 'legacy' ? legacy : extracted, other);
            const repaired = await replication.repair();
            expect(repaired.pairs.map((pair) => pair.missing + pair.different)).toEqual([
              Math.min(1, size),
              size,
              size,
            ]);
            await replication.barrier();
            const compared = await replication.reconcile();
            expect(compared.pairs.map(({ rows }) => rows)).toEqual([size, size, size]);
            expect(compared).toMatchObject({ clean: true, rows: [] });
            expect(await replication.reconcile({ sample: 10 })).toMatchObject({ clean: true });
          }
        }),
    );
  },
);
