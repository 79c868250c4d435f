import { sqliteFile } from '../../../chassis/index.ts';
import { inventoryMapping } from '../../../migrations/inventory/mapping.ts';
import { paymentMapping } from '../../../migrations/payment/mapping.ts';
import { tablesOf } from '../../../strangler/index.ts';
import type { Mapping, Row, SqlValue } from '../../../strangler/index.ts';
import type { System } from '../../../system/index.ts';
import { moveRows, sorted } from '../../support/move-rows.ts';
import type { Rows } from '../../support/move-rows.ts';
import { openPrompt } from './prompt.ts';

export type Capability = 'inventory' | 'payment';
export type SideName = 'legacy' | 'extracted';

export const CAPABILITIES = ['inventory', 'payment'] as const;
const MAPPINGS = { inventory: inventoryMapping, payment: paymentMapping };

/** Where a capability's database on one side is. */
export function urlOf(system: System, capability: Capability, side: SideName): string {
  const name = side === 'legacy' ? 'monolith' : capability;
  return system.env[`${name.toUpperCase()}_DATABASE_URL`] ?? '';
}

/** The same where it is a file. */
export function fileOf(system: System, capability: Capability, side: SideName): string {
  return sqliteFile(urlOf(system, capability, side));
}

/**
 * Compares both sides' tables with what the mapping makes, in memory, of the owner's: without feed,
 * backfill or reconcile. @returns what differs, some of it; empty when nothing does
 */
export async function differences(
  system: System,
  capability: Capability,
  owner: SideName,
): Promise<string[]> {
  const mapping = MAPPINGS[capability];
  const other = owner === 'legacy' ? 'extracted' : 'legacy';
  const expected = sorted(moveRows(mapping, owner, await readRows(system, mapping, owner)));
  const found = sorted(await readRows(system, mapping, other));
  return Object.entries(expected).flatMap(([table, rows]) =>
    differing(`${capability}: ${other} ${table}`, rows, found[table] ?? []),
  );
}

function differing(what: string, expected: readonly Row[], found: readonly Row[]): string[] {
  const [should, does] = [texts(expected), texts(found)];
  return [
    ...[...should].filter((row) => !does.has(row)).map((row) => `${what} lacks ${row}`),
    ...[...does].filter((row) => !should.has(row)).map((row) => `${what} has ${row} beyond`),
  ];
}

function texts(rows: readonly Row[]): Set<string> {
  return new Set(
    rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))),
  );
}

async function readRows(system: System, mapping: Mapping, side: SideName): Promise<Rows> {
  const prompt = await openPrompt(urlOf(system, mapping.capability as Capability, side));
  try {
    const tables: Record<string, readonly Row[]> = {};
    for (const table of tablesOf(mapping, side)) {
      const rows = await prompt.rows(`SELECT * FROM "${table}"`);
      tables[table] = (rows as Row[]).map(plainRow);
    }
    return tables;
  } finally {
    await prompt.close();
  }
}

function plainRow(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]): [string, SqlValue] => [
      column,
      typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  );
}
