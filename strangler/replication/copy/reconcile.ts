import { setTimeout as delay } from 'node:timers/promises';
import {
  belongs,
  columnOn,
  encodeRow,
  encodeValues,
  HIDDEN,
  isColumnPair,
  keyColumns,
  secretColumnsOf,
  unlessFree,
} from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row, SqlValue } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type {
  BulkCopy,
  KeyRange,
  RowName,
  SideDatabase,
  Snapshot,
} from '../../sides/side-database.ts';
import { ChangedKeys } from './changed-keys.ts';
import type { NewestEpoch } from './changed-keys.ts';
import { differenceOf } from './difference.ts';
import type { Difference } from './difference.ts';
import { mergeRows } from './merge.ts';
import type { Partners } from './merge.ts';
import { ownerRowOf } from './owner-row.ts';
import type { DifferingRow, PairReport, ReconcileReport } from './report.ts';
import { samplerOf } from './sample.ts';
import { unkeyedRows } from './unkeyed.ts';

const CHUNK_ROWS = 200;
const PAUSE_MS = 2;
/** How long both sides are compared inside the database before the process gets to its other work. */
const BOX_MS = 8;
const MOST_ROWS = 20_000;
const BULK_PAUSE_MS = 1;
/** Changes that may be under way while both sides are compared. */
const CLOSE = 500;
const ATTEMPTS = 20;
const ROWS_SHOWN = 50;

interface ReconcileOptions {
  readonly mapping: Mapping;
  /** The owner. */
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  readonly signal: AbortSignal;
  /** Waits until the owner's feed has been applied up to a position. */
  readonly applied: (position: number) => Promise<unknown>;
  /** Compares about this share of the rows only, in percent. */
  readonly sample?: number | undefined;
  /** Called for each difference, with the owner's row that it is about, and whether the owner has none. */
  readonly onDifference?: (row: RowName, owner: SideName, gone: boolean) => void;
  /** Told of each difference, and of what both sides hold there. */
  readonly onFinding?: (pair: Pair, partners: Partners, finding: Difference) => void;
  /** Compares both as they stand, since nobody carries changes: whatever is in no feed counts, too. */
  readonly asIs?: boolean;
  /** Whether the source owns a key, where it does not own all of them: rows of others are left out. */
  readonly owns?: (key: string) => boolean;
}

/** What a comparison may be asked for. */
export type ReconcileRequest = Pick<ReconcileOptions, 'sample' | 'onDifference'>;

/** What one look at a pair of rows has shown; `hot` when it changed between the two looks. */
type Finding = Difference | null | 'hot';

/**
 * Compares both sides row by row through the mapping, while both are in use. The target is read at
 * the position A that it has applied, the owner a moment later at P. Rows that differ and changed
 * in between are compared with the owner's image as of A, or looked at again; so what is reported
 * as a difference is one, and a row that no two moments could be found for is called unsettled.
 */
export async function reconcile(options: ReconcileOptions): Promise<ReconcileReport> {
  const startedAt = Date.now();
  const rows: DifferingRow[] = [];
  const pairs: PairReport[] = [];
  const bulkCopy = options.target.bulkCopyFrom(options.source);
  try {
    for (const pair of options.mapping.pairs) {
      pairs.push(await comparePair({ ...options, bulkCopy }, pair, rows));
    }
  } finally {
    await bulkCopy?.close();
  }
  return {
    capability: options.mapping.capability,
    owner: options.source.side,
    clean: pairs.every((pair) => pair.missing + pair.extra + pair.different + pair.unsettled === 0),
    pairs,
    rows,
    position: await options.source.feed.last(),
    mappingHash: options.mapping.hash,
    sample: options.sample ?? null,
    startedAt,
    finishedAt: Date.now(),
  };
}

interface CompareOptions extends ReconcileOptions {
  readonly bulkCopy: BulkCopy | undefined;
}

async function comparePair(
  options: CompareOptions,
  pair: Pair,
  examples: DifferingRow[],
): Promise<PairReport> {
  const counts = { rows: 0, missing: 0, extra: 0, different: 0, unsettled: 0 };
  const sampler = await samplerOf(options, pair);
  if (sampler.all) await findUnkeyed(options, pair, counts, examples);
  const changed = new ChangedKeys(pair);
  let cursor: PairKey | null = null;
  let limit = CHUNK_ROWS;
  for (;;) {
    options.signal.throwIfAborted();
    await whenClose(options);
    const skipped = await sampler.skip(cursor);
    if (skipped === 'end') return { pair: pair.name, ...counts };
    cursor = skipped;
    const started = performance.now();
    const equal: KeyRange | null = (await options.bulkCopy?.equal(pair, cursor, limit)) ?? null;
    limit = sampler.all
      ? nextLimit(limit, performance.now() - started, equal !== null)
      : CHUNK_ROWS;
    if (equal !== null) {
      counts.rows += equal.rows;
      if (equal.last === null) return { pair: pair.name, ...counts };
      cursor = equal.last;
      await delay(BULK_PAUSE_MS, undefined, { signal: options.signal });
      continue;
    }
    const chunk = await compareChunk(options, pair, cursor, changed);
    counts.rows += chunk.rows;
    for (const [partners, finding] of chunk.findings) {
      const settled = isFinal(pair, options.target.side, finding)
        ? finding
        : await lookAgain(options, pair, partners.key, changed);
      if (settled === null) continue;
      const kind = settled === 'hot' ? 'unsettled' : settled.kind;
      counts[kind] += 1;
      if (settled !== 'hot') {
        options.onFinding?.(pair, partners, settled);
        const gone = settled.kind === 'extra';
        options.onDifference?.(ownerRowOf(options, pair, partners), options.source.side, gone);
      }
      if (examples.length < ROWS_SHOWN)
        examples.push(await describe(options, pair, partners, settled));
    }
    // Neither database makes this process wait, so it must leave room for its other work itself.
    await delay(PAUSE_MS, undefined, { signal: options.signal });
    if (chunk.last === null) return { pair: pair.name, ...counts };
    cursor = chunk.last;
  }
}

/** Rows whose key can't be carried are on one side only, whatever the other one holds. */
async function findUnkeyed(
  { source, target }: CompareOptions,
  pair: Pair,
  counts: { different: number; extra: number },
  examples: DifferingRow[],
): Promise<void> {
  for (const [kind, { side }, found] of [
    ['different', source, await source.snapshot((s) => unkeyedRows(s, pair, source.side))],
    ['extra', target, await target.snapshot((s) => unkeyedRows(s, pair, target.side))],
  ] as const) {
    counts[kind] += found.length;
    for (const [row, reason] of found.slice(0, Math.max(0, ROWS_SHOWN - examples.length))) {
      const key = keyColumns(pair, side).map((column) => row[column] ?? null);
      const seen = shown(pair, side, row);
      examples.push({
        pair: pair.name,
        kind,
        key: JSON.parse(encodeValues(key)) as unknown,
        columns: [],
        reason,
        source: kind === 'different' ? seen : null,
        target: kind === 'extra' ? seen : null,
      });
    }
  }
}

/** After a difference ranges grow again from the size at which rows are looked at one by one. */
function nextLimit(limit: number, tookMs: number, equal: boolean): number {
  if (!equal) return CHUNK_ROWS;
  return Math.round(Math.min(MOST_ROWS, limit * Math.min(2, BOX_MS / tookMs)) + 1);
}

/** The closer both sides are, the fewer rows have to be looked at twice. */
async function whenClose({ source, target, applied, asIs }: ReconcileOptions): Promise<void> {
  if (asIs === true) return;
  const position = await source.feed.last();
  const there = await target.store.appliedPosition();
  if (position - there > CLOSE) await applied(position).catch(() => undefined);
}

/** A column pair may be waiting for a row that another change of the same transaction brings. */
function isFinal(pair: Pair, side: SideName, finding: Finding): boolean {
  if (finding === null) return true;
  return finding !== 'hot' && !(finding.kind === 'missing' && isColumnPair(pair, side));
}

interface ComparedChunk {
  readonly rows: number;
  readonly findings: readonly (readonly [Partners, Finding])[];
  /** Where the next chunk starts; null after the last. */
  readonly last: PairKey | null;
}

/** Whether partners are the source's to judge: by their key, which its row says if there is one. */
function isOwned({ mapping, source, target, owns }: ReconcileOptions, partners: Partners): boolean {
  const { cohortKey } = mapping;
  if (owns === undefined || cohortKey === undefined) return true;
  const key =
    partners.source?.[cohortKey[source.side]] ?? partners.target?.[cohortKey[target.side]];
  return owns(plainText(key ?? null));
}

async function compareChunk(
  options: ReconcileOptions,
  pair: Pair,
  cursor: PairKey | null,
  changed: ChangedKeys,
): Promise<ComparedChunk> {
  const { source, target } = options;
  const there = await target.snapshot(async (snapshot) => ({
    applied: await snapshot.applied(),
    rows: await snapshot.rows(pair, cursor, CHUNK_ROWS),
  }));
  return source.snapshot(async (snapshot) => {
    const own = await snapshot.rows(pair, cursor, CHUNK_ROWS);
    const { partners, complete } = mergeRows(own, there.rows, CHUNK_ROWS);
    const suspects = partners.filter(
      (one) => differenceOf(pair, source.side, one) !== null && isOwned(options, one),
    );
    const needed = suspects.length > 0 && options.asIs !== true;
    const epochOf = needed ? await changed.since(snapshot, there.applied) : () => undefined;
    const judge = judgeAt(options, snapshot, pair, there.applied, epochOf);
    const findings: (readonly [Partners, Finding])[] = [];
    for (const one of suspects) findings.push([one, await judge(source, one)]);
    return {
      rows: partners.filter((one) => one.source !== undefined).length,
      findings,
      last: complete ? null : (partners.at(-1)?.key ?? null),
    };
  });
}

/** Judges rows that differ between the target at `applied` and this snapshot of the owner. */
function judgeAt(
  { mapping, source }: ReconcileOptions,
  snapshot: Snapshot,
  pair: Pair,
  applied: number,
  epochOf: NewestEpoch,
): (source: SideDatabase, partners: Partners) => Promise<Finding> {
  const secrets = secretColumnsOf(mapping, source.side, pair[source.side].table);
  return async ({ side }, partners) => {
    const epoch = epochOf(partners.key);
    if (epoch === undefined) return differenceOf(pair, side, partners);
    // No image has them: they are read when a change is applied, and may be newer than the change. A
    // row that is gone by then is deleted on the target, from all pairs of its table.
    if (secrets.length > 0) return 'hot';
    const change = await snapshot.changeAt(pair, partners.key, applied);
    // Between two epochs of this owner's the other side was the owner, and may have written the row itself.
    if (change === undefined || change.epoch !== epoch) return 'hot';
    const image = change.image as Row | null;
    const asOfThen = image !== null && belongs(pair, side, image) ? image : undefined;
    return differenceOf(pair, side, { source: asOfThen, target: partners.target });
  };
}

async function lookAgain(
  options: ReconcileOptions,
  pair: Pair,
  key: PairKey,
  changed: ChangedKeys,
): Promise<Finding> {
  const { source, target, signal } = options;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    signal.throwIfAborted();
    const position = await source.feed.last();
    await options.applied(position).catch(() => undefined);
    const there = await target.snapshot(async (snapshot) => ({
      applied: await snapshot.applied(),
      row: await snapshot.row(pair, key),
    }));
    const finding = await source.snapshot(async (snapshot) => {
      const partners = { key, source: await snapshot.row(pair, key), target: there.row };
      if (differenceOf(pair, source.side, partners) === null) return null;
      if (!isOwned(options, partners)) return null;
      const needed = options.asIs !== true;
      const epochOf = needed ? await changed.since(snapshot, there.applied) : () => undefined;
      return judgeAt(options, snapshot, pair, there.applied, epochOf)(source, partners);
    });
    if (finding !== 'hot') return finding;
  }
  return 'hot';
}

/** A row as it may be seen, kept and printed. */
function shown(pair: Pair, side: SideName, row: Row | undefined): unknown {
  if (row === undefined) return null;
  const hidden = pair.columns
    .filter(({ secret }) => secret)
    .map((codec) => [columnOn(codec, side) ?? '', HIDDEN] as const);
  // That a number is real is worth a word only where it could be an integer.
  const plain = Object.entries(row).map(([column, value]) => [column, unlessFree(value)] as const);
  return JSON.parse(encodeRow(Object.fromEntries([...plain, ...hidden]))) as unknown;
}

async function describe(
  { source, target }: ReconcileOptions,
  pair: Pair,
  { key }: Partners,
  finding: Difference | 'hot',
): Promise<DifferingRow> {
  const own = await source.snapshot((snapshot) => snapshot.row(pair, key));
  const other = await target.snapshot((snapshot) => snapshot.row(pair, key));
  return {
    pair: pair.name,
    kind: finding === 'hot' ? 'unsettled' : finding.kind,
    key: JSON.parse(encodeValues(key)) as unknown,
    columns: finding === 'hot' ? [] : finding.columns,
    reason: finding === 'hot' ? null : finding.reason,
    source: shown(pair, source.side, own),
    target: shown(pair, target.side, other),
  };
}

/** Keys are compared as texts. */
function plainText(value: SqlValue): string {
  return value === null ? '' : String(value);
}
