import type { Fence } from '../../chassis/index.ts';
import type { GateFacts } from '../handover/gates.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import type { Plane } from './plane.ts';
import { lagOf } from './status.ts';

const UNKNOWN: Fence = { state: 'closed', epoch: 0 };

/** Reads what the gates of a handover to `to` look at; a database that can't be read is a fact. */
export async function readGateFacts(plane: Plane, to: SideName): Promise<GateFacts> {
  const { sides, data } = plane;
  const { capability, mapping } = data;
  const [source, target] = [sides[otherSide(to)], sides[to]];
  const blank: GateFacts = {
    capability,
    to,
    trouble: null,
    source: UNKNOWN,
    target: UNKNOWN,
    mappingCurrent: false,
    backfilled: false,
    broken: null,
    parked: 0,
    lag: { changes: 0, ms: 0 },
    reconcile: null,
    now: Date.now(),
  };
  try {
    const installed = [await source.installation(), await target.installation()];
    const newest = await data.lastReconcile();
    const { problem } = await data.status();
    return {
      ...blank,
      broken: problem?.message ?? null,
      parked: await target.parked.count(),
      source: await source.store.fence(),
      target: await target.store.fence(),
      mappingCurrent: installed.every((side) => side?.mappingHash === mapping.hash),
      backfilled: installed[1]?.complete ?? false,
      lag: (await lagOf(sides, otherSide(to))).lag ?? blank.lag,
      reconcile:
        newest && newest.mappingHash === mapping.hash
          ? { at: newest.finishedAt, clean: newest.clean }
          : null,
    };
  } catch (error) {
    return { ...blank, trouble: error instanceof Error ? error.message : String(error) };
  }
}
