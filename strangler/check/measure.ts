import { setImmediate as immediate } from 'node:timers/promises';
import { errorText } from '../../chassis/index.ts';
import {
  belongs,
  columnOn,
  HIDDEN,
  isColumnPair,
  keyColumnsOf,
  resetValues,
  sameValue,
  secretColumnsOf,
  shown,
  tablesOf,
  translate,
  writes,
} from '../mapping/index.ts';
import type { Mapping, Pair, Row } from '../mapping/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { tryPart } from './findings.ts';
import type { Findings } from './findings.ts';
import { tripsOf } from './trip.ts';
import type { TripFailure } from './trip.ts';
import type { Inspectors } from './trip.ts';

const CHUNK_ROWS = 1_000;

export interface MeasureProgress {
  readonly side: SideName;
  readonly table: string;
  readonly rows: number;
  readonly total: number;
}

interface MeasureOptions {
  readonly mapping: Mapping;
  readonly inspectors: Inspectors;
  readonly findings: Findings;
  readonly onProgress: (progress: MeasureProgress) => void;
}

/**
 * Takes every row of one side to the other and back, in memory. Reads in short pieces, so nothing
 * waits for it; a row written meanwhile is seen or not.
 * @returns how many rows were tried
 */
export async function measureSide(options: MeasureOptions, side: SideName): Promise<number> {
  let rows = 0;
  for (const table of tablesOf(options.mapping, side)) {
    await tryPart(options.findings, side, table, async () => {
      rows += await measureTable(options, side, table);
    });
  }
  return rows;
}

async function measureTable(
  options: MeasureOptions,
  side: SideName,
  table: string,
): Promise<number> {
  const { mapping, inspectors, findings, onProgress } = options;
  const inspector = inspectors[side];
  const total = await inspector.count(table);
  const withoutKey = await inspector.countWithoutKey(table);
  const key = keyColumnsOf(mapping, side, table);
  if (withoutKey > 0) {
    findings.add({
      code: 'null_key',
      pair: null,
      side,
      column: `${table}.${key.join(', ')}`,
      counterexample: 'NULL',
      message:
        `${side} ${table}: ${withoutKey} of its rows have NULL in their key (${key.join(', ')}), or text that is no UTF-8; ` +
        'give them another key',
    });
  }
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  const secrets = secretColumnsOf(mapping, side, table);
  let rows = 0;
  for (let last: Row | null = null; ;) {
    const chunk: readonly Row[] = await inspector.rows(table, last, CHUNK_ROWS);
    const trips = await tripsOfChunk(options, side, pairs, chunk);
    for (const row of chunk) {
      measureRow(options, side, pairs, { row, key, secrets, failures: trips.get(row) ?? [] });
    }
    rows += chunk.length;
    onProgress({ side, table, rows, total: Math.max(total, rows) });
    if (chunk.length < CHUNK_ROWS) return rows;
    last = chunk.at(-1) ?? null;
    // The database does not make this process wait, so it must leave room for an interrupt itself.
    await immediate();
  }
}

interface Failed {
  readonly pair: Pair;
  readonly failure: TripFailure;
}

/** What of each row does not come back as it was. */
async function tripsOfChunk(
  { inspectors }: MeasureOptions,
  side: SideName,
  pairs: readonly Pair[],
  chunk: readonly Row[],
): Promise<ReadonlyMap<Row, readonly Failed[]>> {
  const failed = new Map<Row, Failed[]>();
  for (const pair of pairs) {
    const rows = chunk.filter((row) => belongs(pair, side, row));
    for (const codec of [...pair.key, ...pair.columns]) {
      const column = columnOn(codec, side);
      if (column === null) continue;
      const values = rows.map((row) => row[column] ?? null);
      const failures = await tripsOf(inspectors, pair, codec, side, values);
      for (const [index, failure] of failures.entries()) {
        const row = rows[index];
        if (failure === null || row === undefined) continue;
        failed.set(row, [...(failed.get(row) ?? []), { pair, failure }]);
      }
    }
  }
  return failed;
}

interface Measured {
  readonly row: Row;
  readonly key: readonly string[];
  readonly secrets: readonly string[];
  readonly failures: readonly Failed[];
}

function measureRow(
  { findings }: MeasureOptions,
  side: SideName,
  pairs: readonly Pair[],
  { row, key, secrets, failures }: Measured,
): void {
  // Put into words only when something is wrong, which it hardly ever is.
  const named = (): string =>
    key.map((column) => `${column} ${shown(row[column] ?? null)}`).join(', ');
  const found = (pair: Pair | null, code: string, column: string, message: string): void =>
    findings.add({
      code,
      pair: pair?.name ?? null,
      side,
      column,
      counterexample: named(),
      message,
    });
  let hasBasePair = false;
  for (const pair of pairs) {
    const { table } = pair[side];
    if (!belongs(pair, side, row)) {
      checkAbsent(pair, side, row, secrets, (column, message) =>
        found(
          pair,
          'lost_when_absent',
          column,
          `${side} ${table}.${column} of row ${named()}: ${message}`,
        ),
      );
      continue;
    }
    hasBasePair ||= !isColumnPair(pair, side);
    const own = failures.filter((one) => one.pair === pair);
    for (const { failure } of own) {
      found(pair, failure.code, failure.column, `${failure.message} (row ${named()})`);
    }
    // The columns can be carried; the row can, unless the other side's filter keeps it out.
    if (own.length > 0 || pair[otherSide(side)].where === undefined) continue;
    const reason = whyNot(pair, side, row);
    if (reason !== null)
      found(pair, 'no_way', table, `${side} ${table}: ${reason} (row ${named()})`);
  }
  if (hasBasePair) return;
  const { table } = pairs[0]?.[side] ?? { table: '' };
  found(
    null,
    'row_without_pair',
    table,
    `${side} ${table}: row ${named()} belongs to none of the pairs`,
  );
}

/** Why a row can't be carried as a whole. */
function whyNot(pair: Pair, side: SideName, row: Row): string | null {
  try {
    translate(pair, side, row);
    return null;
  } catch (error) {
    return errorText(error);
  }
}

/** Where a column pair has no partner, its columns are reset on the way back: they must hold just that. */
function checkAbsent(
  pair: Pair,
  side: SideName,
  row: Row,
  secrets: readonly string[],
  found: (column: string, message: string) => void,
): void {
  const { table, resetTo } = pair[side];
  // Rows with another key are other pairs'.
  if (resetTo === undefined || !belongs({ ...pair, [side]: { table } }, side, row)) return;
  const carried = new Set(
    pair.columns.filter((codec) => writes(codec, side)).map((codec) => columnOn(codec, side)),
  );
  // The code that keeps the row from being a partner's has a value of its own, by definition.
  const filtered = Object.keys(pair[side].where ?? {});
  for (const [column, value] of Object.entries(resetValues(resetTo, row))) {
    const own = row[column] ?? null;
    if (!carried.has(column) || sameValue(own, value)) continue;
    const show = secrets.includes(column) ? HIDDEN : shown(own);
    const why = filtered.includes(column)
      ? `${show} is no code of pair "${pair.name}" and would come back as ${shown(value)}`
      : `${show} is not carried by pair "${pair.name}" and would come back as ${shown(value)}`;
    found(column, why);
  }
}
