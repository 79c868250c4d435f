import { encodeKey } from '../../mapping/index.ts';
import type { ParkedChange, RowName, SideDatabase } from '../../sides/side-database.ts';

/** All that is parked of one aggregate, in order. */
export interface ParkedAggregate {
  /** Of its first change; what a person types. */
  readonly id: number;
  readonly root: string;
  /** Why the first of its changes can't be applied. */
  readonly reason: string;
  readonly since: number;
  readonly attempts: number;
  readonly changes: readonly ParkedChange[];
}

/** Parked changes by aggregate, the longest parked first. */
export function aggregatesOf(changes: readonly ParkedChange[]): readonly ParkedAggregate[] {
  const byRoot = new Map<string, ParkedChange[]>();
  for (const change of changes) {
    const known = byRoot.get(change.root);
    if (known) known.push(change);
    else byRoot.set(change.root, [change]);
  }
  return [...byRoot].map(([root, own]) => ({
    id: own[0]?.id ?? 0,
    root,
    reason: own.find(({ reason }) => reason !== null)?.reason ?? 'it waits for a row it belongs to',
    since: Math.min(...own.map(({ at }) => at)),
    attempts: Math.max(...own.map(({ attempts }) => attempts)),
    changes: own,
  }));
}

/** Why both sides have to be compared after changes of an aggregate were dropped. */
export function droppedText(root: string): string {
  return `dead-lettered changes of ${root} were dropped`;
}

/**
 * Has parked rows tried again: the owner's rows, as they are now, are written into its feed.
 * @returns the position after which they have been tried; null when `owner` is not the owner
 */
export function retryParked(
  owner: SideDatabase,
  aggregates: readonly ParkedAggregate[],
): Promise<number | null> {
  return owner.reEmit(aggregates.flatMap(({ changes }) => rowsOf(changes)));
}

/** Each row once, where it first stands. */
function rowsOf(changes: readonly ParkedChange[]): readonly RowName[] {
  const rows = new Map<string, RowName>();
  for (const { table, key } of changes) {
    const named = `${table} ${encodeKey(key)}`;
    if (!rows.has(named)) rows.set(named, { table, key });
  }
  return [...rows.values()];
}
