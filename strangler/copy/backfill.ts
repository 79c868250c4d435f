import { setTimeout as delay } from 'node:timers/promises';
import { MappingError, translate } from '../mapping/index.ts';
import type { Mapping, Pair } from '../mapping/index.ts';
import type { BackfillState, SideDatabase, Target } from '../side-database.ts';
import { differenceOf } from './difference.ts';
import { mergeRows } from './merge.ts';
import type { Merged, Partners } from './merge.ts';

/** How long a chunk may hold the target's write lock, in ms. */
const TIME_BOX_MS = 1.5;
const MIN_PAUSE_MS = 2;
const FIRST_READ = 100;
const READ_LIMITS = { least: 20, most: 2_000 } as const;

interface BackfillOptions {
  readonly mapping: Mapping;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  /** The target's epoch, at which it must stay. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  /** Waits while applying changes is behind: what is live goes first. */
  readonly whenCalm: () => Promise<void>;
}

/**
 * Copies all rows of the owner to the other side while both are in use. One chunk is one short
 * transaction of the target, in which the source's rows are read in a snapshot of its own, at a
 * position P that nothing applied so far lies beyond. So a chunk never brings back anything older
 * than what is there, and what is applied afterwards, from before P, converges at P: changes may be
 * applied at any time, and no cursor has to be compared. Goes on where it was interrupted.
 * @returns the position at which, once applied, the copy is whole
 */
export async function backfill(options: BackfillOptions): Promise<number> {
  let ready = 0;
  for (const pair of options.mapping.pairs) {
    let limit = FIRST_READ;
    for (;;) {
      options.signal.throwIfAborted();
      const started = performance.now();
      const { state, steps } = await copyChunk(options, pair, limit);
      ready = Math.max(ready, state.readyPosition);
      await pause(performance.now() - started, options);
      if (state.done) break;
      limit = Math.min(READ_LIMITS.most, Math.max(READ_LIMITS.least, 2 * steps));
    }
  }
  return ready;
}

async function pause(tookMs: number, { signal, whenCalm }: BackfillOptions): Promise<void> {
  await delay(Math.max(MIN_PAUSE_MS, 2 * tookMs), undefined, { signal });
  await whenCalm();
}

interface Chunk {
  readonly state: BackfillState;
  readonly steps: number;
}

async function copyChunk(options: BackfillOptions, pair: Pair, limit: number): Promise<Chunk> {
  const { source, target, epoch } = options;
  const known = (await target.backfills()).find((state) => state.pair === pair.name);
  if (known?.done) return { state: known, steps: 0 };
  // Counting takes its time: not under the target's lock.
  const total = known?.total ?? source.snapshot((snapshot) => snapshot.count(pair));
  return target.apply(epoch, (transaction) => {
    const started = performance.now();
    const before = transaction.backfill(pair) ?? fresh(pair, total);
    const { merged, position } = source.snapshot((snapshot) => ({
      position: snapshot.position(),
      merged: mergeRows(
        snapshot.rows(pair, before.cursor, limit),
        transaction.rows(pair, before.cursor, limit),
        limit,
      ),
    }));
    const steps = copyUntilLate(options, transaction, pair, merged, started);
    const taken = merged.partners.slice(0, steps);
    const state: BackfillState = {
      ...before,
      cursor: taken.at(-1)?.key ?? before.cursor,
      rows: before.rows + taken.filter((partners) => partners.source !== undefined).length,
      done: merged.complete && steps === merged.partners.length,
      readyPosition: position,
      at: Date.now(),
    };
    transaction.saveBackfill(state);
    return { state, steps };
  });
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

function copyUntilLate(
  options: BackfillOptions,
  target: Target,
  pair: Pair,
  { partners }: Merged,
  started: number,
): number {
  let steps = 0;
  for (const one of partners) {
    copyOne(options, target, pair, one);
    steps += 1;
    if (performance.now() - started > TIME_BOX_MS) break;
  }
  return steps;
}

/** Makes the target's row what the source's says; what the source does not have, goes. */
function copyOne(
  { source }: BackfillOptions,
  target: Target,
  pair: Pair,
  partners: Partners,
): void {
  const difference = differenceOf(pair, source.side, partners);
  if (difference === null) return;
  if (difference.reason !== null) {
    throw new MappingError(`row ${JSON.stringify(partners.key)}: ${difference.reason}`);
  }
  if (partners.source === undefined) target.remove(pair, partners.key);
  else target.upsert(pair, partners.key, translate(pair, source.side, partners.source));
}
