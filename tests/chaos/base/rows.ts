import Database from 'better-sqlite3';
import { sqliteFile } from '../../../chassis/index.ts';
import { inventoryMapping } from '../../../migrations/inventory/mapping.ts';
import { paymentMapping } from '../../../migrations/payment/mapping.ts';
import { tablesOf } from '../../../strangler/index.ts';
import type { Mapping, Row, SqlValue } from '../../../strangler/index.ts';
import type { System } from '../../../system/index.ts';
import { moveRows, sorted } from '../../support/index.ts';
import type { Rows } from '../../support/index.ts';

export type Capability = 'inventory' | 'payment';
export type SideName = 'legacy' | 'extracted';

export const CAPABILITIES = ['inventory', 'payment'] as const;
const MAPPINGS = { inventory: inventoryMapping, payment: paymentMapping };

/** The file of a capability's database on one side. */
export function fileOf(system: System, capability: Capability, side: SideName): string {
  const name = side === 'legacy' ? 'monolith' : capability;
  return sqliteFile(system.env[`${name.toUpperCase()}_DATABASE_URL`] ?? '');
}

/**
 * Compares both sides' tables with what the mapping makes, in memory, of the owner's: without feed,
 * backfill or reconcile. @returns what differs, some of it; empty when nothing does
 */
export function differences(system: System, capability: Capability, owner: SideName): string[] {
  const mapping = MAPPINGS[capability];
  const other = owner === 'legacy' ? 'extracted' : 'legacy';
  const expected = sorted(moveRows(mapping, owner, readRows(system, mapping, owner)));
  const found = sorted(readRows(system, mapping, other));
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

function readRows(system: System, mapping: Mapping, side: SideName): Rows {
  const file = fileOf(system, mapping.capability as Capability, side);
  const database = new Database(file, { readonly: true });
  try {
    return Object.fromEntries(
      tablesOf(mapping, side).map((table) => {
        const rows = database.prepare(`SELECT * FROM ${table}`).safeIntegers().all();
        return [table, (rows as Row[]).map(plainRow)];
      }),
    );
  } finally {
    database.close();
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
