import { databaseTrouble, errorText } from '../../chassis/index.ts';
import { secretHydrator } from '../replication/feed/index.ts';
import { keyColumnsOf } from '../mapping/index.ts';
import type { Mapping, Pair, Row } from '../mapping/index.ts';
import { ApplyError } from '../sides/side-database.ts';
import type { RowName, SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Change } from '../ledger/store.ts';
import type { OpenCapability } from './open-capability.ts';

const APPLIED_MS = 2_000;
const TRIES = 5;

/**
 * Proves that changes find their way to the other side and back, by a row of each pair. There: the
 * owner's row is written into the feed again, as for a repair, and must be applied. Back: what the
 * other side would record of its row is applied at the owner, and both are taken back.
 * @returns why there is no way; null when there is one
 */
export async function proveWayBack(opened: OpenCapability, to: SideName): Promise<string | null> {
  const { sides, data } = opened;
  const [source, target] = [sides[otherSide(to)], sides[to]];
  try {
    const there = await sampleRows(data.mapping, source);
    if ((await source.reEmit(there)) === null) return `${source.side} is not the owner any more`;
    await data.barrier(APPLIED_MS);
  } catch (error) {
    return `a row written again in ${source.side} was not applied: ${errorText(error)}`;
  }
  try {
    const back = await target.checks.tryCapture(await sampleRows(data.mapping, target));
    const reveal = secretHydrator(data.mapping, target);
    const slice = { capability: data.capability, feedOf: target.side, after: 0, upto: 0 };
    const { changes } = await reveal({ ...slice, changes: back });
    await tryApply(source, changes);
    return null;
  } catch (error) {
    return `a row of ${target.side} could not be brought back to ${source.side}: ${errorText(error)}`;
  }
}

/** Tries again what a lock of the business's is in the way of: that says nothing about the way back. */
async function tryApply({ checks }: SideDatabase, changes: readonly Change[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await checks.tryApply(changes);
      return;
    } catch (error) {
      const cause = error instanceof ApplyError ? error.cause : error;
      if (attempt === TRIES || databaseTrouble(cause) === undefined) throw error;
    }
  }
}

/** The first row of each pair, where it has one. */
async function sampleRows(mapping: Mapping, side: SideDatabase): Promise<readonly RowName[]> {
  const names: RowName[] = [];
  for (const pair of mapping.pairs) {
    const [first] = await side.snapshot((snapshot) => snapshot.rows(pair, null, 1));
    if (first) names.push(rowName(mapping, side.side, pair, first.row));
  }
  return names;
}

function rowName(mapping: Mapping, side: SideName, pair: Pair, row: Row): RowName {
  const { table } = pair[side];
  const columns = keyColumnsOf(mapping, side, table).filter((column) => column in row);
  return { table, key: Object.fromEntries(columns.map((column) => [column, row[column] ?? null])) };
}
