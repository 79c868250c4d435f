import { describe, expect, it } from '@jest/globals';
import type { Database } from '../../chassis/index.ts';
import { CASES, runCases } from '../../contracts/cases/index.ts';
import { inventoryMapping } from '../../migrations/inventory/mapping.ts';
import { paymentMapping } from '../../migrations/payment/mapping.ts';
import { tablesOf } from '../../strangler/index.ts';
import type { Mapping } from '../../strangler/index.ts';
import { moveRows, sorted } from '../support/move-rows.ts';
import type { Rows } from '../support/move-rows.ts';
import {
  createResources,
  openInventory,
  openMonolith,
  openPayment,
} from '../../contract-check/index.ts';
import type { Capability, Opened, Resources } from '../../contract-check/index.ts';

async function rowsOf(database: Database, tables: readonly string[]): Promise<Rows> {
  const all = tables.map(async (table) => [table, await database.read(table)] as const);
  return Object.fromEntries(await Promise.all(all));
}

/** All rows that a side leaves behind when it has answered its cases. */
async function rowsAfterCases(
  open: (resources: Resources) => Promise<Opened>,
  mapping: Mapping,
  side: 'legacy' | 'extracted',
): Promise<Rows> {
  const resources = createResources();
  try {
    const { target, database } = await open(resources);
    const capability = mapping.capability as Capability;
    const areas: readonly string[] = side === 'legacy' ? [capability, 'orders'] : [capability];
    await runCases(
      target,
      CASES.filter(({ area }) => areas.includes(area)),
    );
    return await rowsOf(database, tablesOf(mapping, side));
  } finally {
    await resources.close();
  }
}

describe.each([
  { mapping: inventoryMapping, openService: openInventory },
  { mapping: paymentMapping, openService: openPayment },
])('every row that the $mapping.capability cases leave behind', ({ mapping, openService }) => {
  it.each([
    { side: 'legacy', open: openMonolith },
    { side: 'extracted', open: openService },
  ] as const)('on the $side side comes back as it went', async ({ side, open }) => {
    const other = side === 'legacy' ? 'extracted' : 'legacy';
    const rows = await rowsAfterCases(open, mapping, side);
    for (const [table, list] of Object.entries(rows))
      expect([table, list]).not.toEqual([table, []]);
    expect(sorted(moveRows(mapping, other, moveRows(mapping, side, rows)))).toEqual(sorted(rows));
  });
});
