import { translate } from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row } from '../../mapping/index.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { RowWrite, SideDatabase } from '../../sides/side-database.ts';
import { reconcile } from './reconcile.ts';

type Sides = Readonly<Record<SideName, SideDatabase>>;

/** Rows of one kind of difference: how many, and the first of them by table and key. */
export interface PartedRows {
  readonly rows: number;
  readonly named: readonly string[];
  /** How many of them each pair has, by its name. */
  readonly byPair: Readonly<Record<string, number>>;
}

/** What each side holds that the other one does not, since both stopped following each other. */
export interface Parting {
  /** On that side alone. */
  readonly only: Readonly<Record<SideName, PartedRows>>;
  /** On both, and not the same. */
  readonly different: PartedRows;
}

const NAMED = 5;
const AT_ONCE = 100;

/** Compares both sides as they stand, whoever owns what. @throws when the signal is aborted */
export async function partingOf(
  mapping: Mapping,
  sides: Sides,
  signal: AbortSignal,
): Promise<Parting> {
  const found = { legacy: counter(), extracted: counter(), different: counter() };
  await reconcile({
    mapping,
    source: sides.legacy,
    target: sides.extracted,
    signal,
    asIs: true,
    applied: () => Promise.resolve(),
    onFinding(pair, { key }, { kind }) {
      const where = { missing: 'legacy', extra: 'extracted', different: 'different' } as const;
      found[where[kind]].add(pair, key);
    },
  });
  const { legacy, extracted, different } = found;
  return { only: { legacy: legacy.done, extracted: extracted.done }, different: different.done };
}

function counter(): { add(pair: Pair, key: PairKey): void; readonly done: PartedRows } {
  const named: string[] = [];
  const byPair: Record<string, number> = {};
  let rows = 0;
  return {
    add({ name }, key) {
      rows += 1;
      byPair[name] = (byPair[name] ?? 0) + 1;
      if (named.length < NAMED) named.push(`${name} ${key.map(String).join('/')}`);
    },
    get done() {
      return { rows, named, byPair };
    },
  };
}

/** What became of rows that were to be kept. */
export interface Kept {
  readonly kept: number;
  /** Rows that this side does not take; they are parked. */
  readonly parked: number;
}

/**
 * Copies to a side the rows that only the other one has; what both have stays as it is. To be done while
 * nobody writes to either.
 * @param epoch of the side's fence, which is not open
 */
export async function keepRows(
  mapping: Mapping,
  sides: Sides,
  to: SideName,
  epoch: number,
): Promise<Kept> {
  const [source, target] = [sides[otherSide(to)], sides[to]];
  const missing = new Map<Pair, { key: PairKey; row: Row }[]>();
  await reconcile({
    mapping,
    source,
    target,
    signal: new AbortController().signal,
    asIs: true,
    applied: () => Promise.resolve(),
    onFinding(pair, partners, { kind }) {
      if (kind !== 'missing' || partners.source === undefined) return;
      const rows = missing.get(pair) ?? [];
      rows.push({ key: partners.key, row: partners.source });
      missing.set(pair, rows);
    },
  });
  let [kept, parked] = [0, 0];
  for (const [pair, rows] of missing) {
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      const writes = rows.slice(from, from + AT_ONCE).map(({ key, row }): RowWrite => ({
        key,
        image: translate(pair, source.side, row),
        source: row,
        refused: null,
      }));
      const position = await source.feed.last();
      const manner = { boxMs: Number.POSITIVE_INFINITY, position };
      const brought = await target.apply(epoch, (work) => work.bring(pair, writes, manner), true);
      parked += brought.parked.length;
      kept += writes.length - brought.parked.length;
    }
  }
  return { kept, parked };
}
