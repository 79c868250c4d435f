import { describe, expect, it } from '@jest/globals';
import { dialects } from '../../tests/strangler/support/dialects.ts';
import { withMoving } from '../../tests/strangler/support/moving.ts';
import { defineMapping, same } from '../mapping/index.ts';
import type { Pair, Row } from '../mapping/index.ts';
import type { Target } from '../sides/side-database.ts';

/** Two tables of the legacy side are one here: `holds` writes a column of rows that `items` makes. */
const stock = defineMapping({
  capability: 'stock',
  pairs: [
    {
      name: 'items',
      legacy: { table: 'item' },
      extracted: { table: 'stock' },
      key: [same('k', 'k')],
      columns: [same('code', 'code')],
    },
    {
      name: 'holds',
      legacy: { table: 'hold' },
      extracted: { table: 'stock', resetTo: { reserved: 0 } },
      key: [same('k', 'k')],
      columns: [same('reserved', 'reserved')],
    },
  ],
});
const [items, holds] = stock.pairs as [Pair, Pair];

const LEGACY = `CREATE TABLE item (k INTEGER PRIMARY KEY, code TEXT);
  CREATE TABLE hold (k INTEGER PRIMARY KEY, reserved INTEGER NOT NULL)`;
const EXTRACTED = `CREATE TABLE stock (k INTEGER PRIMARY KEY, code TEXT UNIQUE,
  reserved INTEGER NOT NULL DEFAULT 0)`;

function bring(target: Target, pair: Pair, key: number, image: Row | null): Promise<unknown> {
  const write = { key: [key], image, source: { k: key, ...image }, refused: null };
  return target.bring(pair, [write], { boxMs: Infinity, position: 0 });
}

describe.each(dialects)('a copy under way, on %s', (dialect) => {
  it('takes a row out that holds the unique value of another, which loses nothing that waited for it', () =>
    withMoving(
      { mapping: stock, legacy: [dialect, LEGACY], extracted: [dialect, EXTRACTED] },
      async ({ replication, databases, sessions }) => {
        await replication.install();
        const { epoch } = await databases.extracted.store.fence();
        await databases.extracted.apply(epoch, async (target) => {
          await bring(target, items, 1, { code: 'x' });
          await bring(target, holds, 2, { reserved: 5 });
          await bring(target, items, 2, { code: 'x' });
        });
        const rows = await sessions.extracted.rows('SELECT k, code, reserved FROM stock');
        expect(rows).toEqual([{ k: 2, code: 'x', reserved: 5 }]);
      },
    ));
});
