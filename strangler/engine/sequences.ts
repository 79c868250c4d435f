import { keyColumns } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { Sequence } from '../sides/side-checks.ts';
import type { SideDatabase } from '../sides/side-database.ts';

/** A generator of the target, and the one of the source that its ids come from until a handover. */
interface SequencePair {
  readonly own: Sequence;
  readonly theirs: Sequence | undefined;
}

async function sequencePairsOf(
  mapping: Mapping,
  source: SideDatabase,
  target: SideDatabase,
): Promise<readonly SequencePair[]> {
  const targets = await target.checks.sequences();
  if (targets.length === 0) return [];
  const sources = await source.checks.sequences();
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

/** Ids that the source has given out, and the target would give out again, one text each. */
export async function lateSequences(
  mapping: Mapping,
  source: SideDatabase,
  target: SideDatabase,
): Promise<readonly string[]> {
  const pairs = await sequencePairsOf(mapping, source, target);
  return pairs.flatMap(({ own, theirs }) =>
    theirs === undefined || own.at >= theirs.at
      ? []
      : `${target.side} would give out ${own.table}.${own.column} ${own.at + 1n} again: ` +
        `${source.side} is at ${theirs.at}`,
  );
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
