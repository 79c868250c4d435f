import { errorText } from '../../chassis/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import { handoversOf } from './handover-view.ts';
import type { HandoverView } from './handover-view.ts';
import type { Sides } from './status.ts';

/** A side whose journal is missing from an answer. */
export interface UnreadSide {
  readonly capability: string;
  readonly side: SideName;
  /** Why it can't be read. */
  readonly reason: string;
}

export interface HandoverList {
  /** Newest first. */
  readonly handovers: readonly HandoverView[];
  /** Handovers away from these are not among them. */
  readonly unread: readonly UnreadSide[];
}

/** Handovers of both sides of a capability; a side that can't be read is named, never left out unsaid. */
export async function listHandovers(
  capability: string,
  sides: Sides,
  limit: number,
): Promise<HandoverList> {
  const both = [
    await listOf(capability, 'legacy', sides.legacy, limit),
    await listOf(capability, 'extracted', sides.extracted, limit),
  ];
  return mergeLists(both);
}

/** Those of several capabilities as one. */
export function mergeLists(lists: readonly HandoverList[]): HandoverList {
  const handovers = lists.flatMap((list) => list.handovers);
  return {
    handovers: handovers.sort((left, right) => right.startedAt - left.startedAt),
    unread: lists.flatMap(({ unread }) => unread),
  };
}

async function listOf(
  capability: string,
  side: SideName,
  database: Sides[SideName],
  limit: number,
): Promise<HandoverList> {
  const read = (one: SideDatabase): Promise<readonly HandoverView[]> => handoversOf(one, limit);
  const { found, unread } = await readIfInstalled(capability, side, database, read);
  return { handovers: found ?? [], unread };
}

/**
 * Reads a side that has Fig's tables.
 * @returns what was found, null where the side has no tables; a side that can't be read is named
 */
export async function readIfInstalled<T>(
  capability: string,
  side: SideName,
  database: SideDatabase | Error,
  read: (database: SideDatabase) => Promise<T>,
): Promise<{ readonly found: T | null; readonly unread: readonly UnreadSide[] }> {
  try {
    if (database instanceof Error) throw database;
    const found = (await database.installation()) ? await read(database) : null;
    return { found, unread: [] };
  } catch (error) {
    return { found: null, unread: [{ capability, side, reason: errorText(error) }] };
  }
}
