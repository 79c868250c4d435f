import { setTimeout as delay } from 'node:timers/promises';
import type { Mapping, Pair } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { BackfillState, BulkCopy, RowWrite, SideDatabase } from '../../sides/side-database.ts';
import type { Applier } from '../feed/index.ts';
import { differenceOf } from './difference.ts';
import { mergeRows } from './merge.ts';
import type { Partners } from './merge.ts';
import type { Pace } from './pace.ts';
import { unkeyedRows } from './unkeyed.ts';

/** How long a chunk may hold the target's write lock, in ms. */
const TIME_BOX_MS = 1.5;
const MIN_PAUSE_MS = 2;
const FIRST_READ = 100;
const READ_LIMITS = { least: 20, most: 2_000 } as const;
/** What is read for nothing, where the box is over first, is a quarter of what is taken. */
const SPARE = 1.25;
/** Nobody else writes to the target: only this process's other work has to find its turn. */
const ALONE_BOX_MS = 8;
const ALONE_PAUSE_MS = 1;
const RANGE_LIMITS = { least: 20, most: 20_000 } as const;

interface BackfillOptions {
  readonly mapping: Mapping;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  /** The target's epoch, at which it must stay. */
  readonly epoch: number;
  readonly applier: Applier;
  readonly signal: AbortSignal;
  readonly pace: Pace;
  /** Waits while applying changes is behind: what is live goes first. */
  readonly whenCalm: () => Promise<void>;
}

/**
 * Copies all rows of the owner to the other side while both are in use. One chunk is one short
 * transaction of the target, and the source's rows are read in a snapshot of its own while nothing
 * is applied: at a position P that nothing applied so far lies beyond. So a chunk never brings back
 * anything older than what is there, and what is applied afterwards, from before P, converges at P:
 * changes may be applied at any time, and no cursor has to be compared. Goes on where it was
 * interrupted.
 * @returns the position at which, once applied, the copy is whole
 */
export async function backfill(options: BackfillOptions): Promise<number> {
  const bulkCopy = options.target.bulkCopyFrom(options.source);
  try {
    let ready = 0;
    for (const pair of options.mapping.pairs) {
      ready = Math.max(ready, await copyPair({ ...options, bulkCopy }, pair));
    }
    return ready;
  } finally {
    await bulkCopy?.close();
  }
}

interface CopyOptions extends BackfillOptions {
  readonly bulkCopy: BulkCopy | undefined;
}

async function copyPair(options: CopyOptions, pair: Pair): Promise<number> {
  const { target, bulkCopy } = options;
  let ready = 0;
  let range = FIRST_READ;
  let limit = FIRST_READ;
  const { source } = options;
  // A range is copied with all its rows: those that can't be carried are for the other way to park.
  const odd = await source.snapshot((snapshot) => snapshot.unkeyed(pair, 1));
  for (;;) {
    options.signal.throwIfAborted();
    const alone = !target.hasOtherWriters && bulkCopy?.hasOtherWriters !== true;
    const box = alone ? ALONE_BOX_MS : TIME_BOX_MS;
    const { most } = options.pace;
    const whole = odd.length === 0 ? await copyRange(options, pair, Math.min(range, most)) : null;
    const { state, steps, heldMs } =
      whole ?? (await copyChunk(options, pair, Math.min(limit, most), box));
    ready = Math.max(ready, state.readyPosition);
    await pause(alone ? ALONE_PAUSE_MS : Math.max(MIN_PAUSE_MS, 2 * heldMs), options);
    await options.pace.after(steps, options.signal);
    if (state.done) return ready;
    if (whole) range = nextLimit(range, box / heldMs, RANGE_LIMITS);
    else limit = nextLimit(limit, steps < limit ? (SPARE * steps) / limit : 2, READ_LIMITS);
  }
}

/** Approaches a number of rows that takes as long as it may; `factor` is how far off this one was. */
function nextLimit(
  limit: number,
  factor: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  return Math.round(Math.min(most, Math.max(least, limit * Math.min(2, Math.max(0.25, factor)))));
}

async function pause(ms: number, { signal, whenCalm }: BackfillOptions): Promise<void> {
  await delay(ms, undefined, { signal });
  await whenCalm();
}

interface Chunk {
  readonly state: BackfillState;
  readonly steps: number;
  /** How long the target's write lock was held, in ms. */
  readonly heldMs: number;
}

/** Copies a range inside the database; null when that has to be done row by row. */
async function copyRange(options: CopyOptions, pair: Pair, limit: number): Promise<Chunk | null> {
  const { epoch, bulkCopy } = options;
  if (bulkCopy === undefined) return null;
  const before = await stateOf(options, pair);
  if (before.done) return { state: before, steps: 0, heldMs: 1 };
  return bulkCopy.apply(epoch, async (transaction) => {
    const started = performance.now();
    const range = await bulkCopy.copy(pair, before.cursor, limit);
    if (range === null) return null;
    const state: BackfillState = {
      ...before,
      cursor: range.last ?? before.cursor,
      rows: before.rows + range.rows,
      done: range.last === null,
      readyPosition: range.position,
      at: Date.now(),
    };
    await transaction.saveBackfill(state);
    return { state, steps: range.rows, heldMs: performance.now() - started };
  });
}

/**
 * Copies some rows one by one. The owner is read before the target's transaction, which must not wait
 * for a network; that nothing was applied in between, it sees for itself.
 */
async function copyChunk(
  options: CopyOptions,
  pair: Pair,
  limit: number,
  boxMs: number,
): Promise<Chunk> {
  const known = await stateOf(options, pair);
  if (known.done) return { state: known, steps: 0, heldMs: 1 };
  for (;;) {
    options.signal.throwIfAborted();
    const chunk = await options.applier.whileStill(() =>
      tryChunk(options, pair, known, limit, boxMs),
    );
    if (chunk !== null) return chunk;
  }
}

async function tryChunk(
  { source, target, epoch }: CopyOptions,
  pair: Pair,
  before: BackfillState,
  limit: number,
  wholeMs: number,
): Promise<Chunk | null> {
  const applied = await target.store.appliedPosition();
  const first = before.cursor === null;
  const { own, unkeyed } = await source.snapshot(async (snapshot) => ({
    own: await snapshot.rows(pair, before.cursor, limit),
    unkeyed: first ? await unkeyedRows(snapshot, pair, source.side) : [],
  }));
  const readyPosition = await source.feed.last();
  return target.apply(epoch, async (transaction) => {
    const started = performance.now();
    // Another engine's applier.
    if ((await transaction.applied()) !== applied) return null;
    const there = await transaction.rows(pair, before.cursor, limit);
    const { partners, complete } = mergeRows(own, there, limit);
    const boxMs = wholeMs - (performance.now() - started);
    const position = readyPosition;
    const writes = partners.map((one) => writeOf(source.side, pair, one));
    if (before.cursor === null) await transaction.park(pair, unkeyed, position);
    const { seen: steps } = await transaction.bring(pair, writes, { boxMs, position });
    const taken = partners.slice(0, steps);
    const state: BackfillState = {
      ...before,
      cursor: taken.at(-1)?.key ?? before.cursor,
      rows: before.rows + taken.filter((one) => one.source !== undefined).length,
      done: complete && steps === partners.length,
      readyPosition,
      at: Date.now(),
    };
    await transaction.saveBackfill(state);
    return { state, steps, heldMs: performance.now() - started };
  });
}

async function stateOf({ source, target }: CopyOptions, pair: Pair): Promise<BackfillState> {
  const known = (await target.backfills()).find((state) => state.pair === pair.name);
  // Counting takes its time: not under the target's lock.
  return known ?? fresh(pair, await source.snapshot((snapshot) => snapshot.count(pair)));
}

function fresh(pair: Pair, total: number): BackfillState {
  const now = Date.now();
  return {
    pair: pair.name,
    cursor: null,
    rows: 0,
    total,
    done: false,
    readyPosition: 0,
    startedAt: now,
    at: now,
  };
}

/** What makes the target's row what the source's says; null where it is. What the source has not, goes. */
function writeOf(owner: SideName, pair: Pair, partners: Partners): RowWrite | null {
  const difference = differenceOf(pair, owner, partners);
  if (difference === null) return null;
  const { key, source } = partners;
  return { key, image: difference.image, source, refused: difference.reason };
}
