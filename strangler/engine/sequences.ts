import { setTimeout as delay } from 'node:timers/promises';
import { keyColumns } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { Sequence } from '../sides/side-checks.ts';
import type { SideDatabase } from '../sides/side-database.ts';

/** A generator of the target, and the one of the source that its ids come from until a handover. */
interface SequencePair {
  readonly own: Sequence;
  readonly theirs: Sequence | undefined;
}

/** How long the target is given to reach where the source was, in ms: rows arrive with a lag while it is written to. */
const CATCH_UP_MS = 500;
const LOOK_AGAIN_MS = 50;

async function sequencePairsOf(
  mapping: Mapping,
  source: SideDatabase,
  target: SideDatabase,
): Promise<readonly SequencePair[]> {
  const targets = await target.checks.sequences();
  if (targets.length === 0) return [];
  return pairsOf(mapping, source, await source.checks.sequences(), target, targets);
}

function pairsOf(
  mapping: Mapping,
  source: SideDatabase,
  sources: readonly Sequence[],
  target: SideDatabase,
  targets: readonly Sequence[],
): readonly SequencePair[] {
  return mapping.pairs.flatMap((pair) => {
    const of = (all: readonly Sequence[], side: SideDatabase['side']): Sequence | undefined =>
      all.find(
        ({ table, column }) =>
          table === pair[side].table && keyColumns(pair, side).join() === column,
      );
    const own = of(targets, target.side);
    return own ? [{ own, theirs: of(sources, source.side) }] : [];
  });
}

/**
 * Ids that the source has given out, and the target would give out again, one text each. What the source gives out
 * meanwhile does not count: a handover moves the generators once more, behind the closed fence.
 */
export async function lateSequences(
  mapping: Mapping,
  source: SideDatabase,
  target: SideDatabase,
): Promise<readonly string[]> {
  const until = performance.now() + CATCH_UP_MS;
  const sources = await source.checks.sequences();
  for (;;) {
    const targets = await target.checks.sequences();
    const late = pairsOf(mapping, source, sources, target, targets).flatMap(({ own, theirs }) =>
      theirs === undefined || own.at >= theirs.at
        ? []
        : `${target.side} would give out ${own.table}.${own.column} ${own.at + 1n} again: ` +
          `${source.side} is at ${theirs.at}`,
    );
    if (late.length === 0 || performance.now() >= until) return late;
    await delay(LOOK_AGAIN_MS);
  }
}

/**
 * Ids that both sides would give out from one count, while single keys are ahead of the rest and rows
 * are made on both, one text each.
 */
export async function rivalSequences(
  mapping: Mapping,
  source: SideDatabase,
  target: SideDatabase,
): Promise<readonly string[]> {
  const pairs = await sequencePairsOf(mapping, source, target);
  return pairs.flatMap(({ own, theirs }) =>
    theirs === undefined
      ? []
      : `both sides would give out the same ids of ${own.table}.${own.column}: single keys can't move`,
  );
}

/**
 * Has the target go on above all ids of both sides. Where rows that bring their ids along don't move a
 * generator, this has to be done when all of them are there.
 */
export async function moveSequences(
  mapping: Mapping,
  source: SideDatabase,
  target: SideDatabase,
): Promise<void> {
  const pairs = await sequencePairsOf(mapping, source, target);
  if (pairs.length === 0) return;
  const highest = ({ own, theirs }: SequencePair): bigint =>
    theirs !== undefined && theirs.at > own.at ? theirs.at : own.at;
  await target.checks.moveSequences(pairs.map((each) => ({ ...each.own, at: highest(each) })));
}
