import { errorText } from '../../chassis/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { Gate } from '../ownership/handover/gate.ts';
import { TwoOwnersError } from '../replication/direction.ts';
import type { ReplicationStatus } from '../replication/replication-status.ts';
import { readFacts } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import type { CapabilityController } from './capability-controller.ts';
import type { IntentView } from './flag-reconciler.ts';
import { nextSteps } from './next-step.ts';
import type { NextStep } from './next-step.ts';
import type { OpenCapability } from './open-capability.ts';
import { waitingReason } from './standing.ts';
import type { Standing } from './standing.ts';
import { statusIn } from './status.ts';
import type { CapabilityStatus } from './status.ts';
import { wayBackOf } from './way-back-state.ts';
import type { WayBack } from './way-back-state.ts';

/** What an engine adds to what the databases tell. */
export interface LiveStatus extends CapabilityStatus {
  readonly standing: Standing;
  readonly intent: IntentView;
  /**
   * What must hold before ownership moves next, to the side that is not the owner; null while there
   * is nothing to move, or somebody else leads.
   */
  readonly gates: readonly Gate[] | null;
  /** Whether ownership could be given back; null while legacy has it, or will never have it again. */
  readonly wayBack: WayBack | null;
  /** Why changes can't be applied; null while they are. */
  readonly broken: string | null;
  readonly transport: 'queue' | 'direct' | null;
  readonly backfillRun: {
    readonly running: boolean;
    readonly rowsPerSecond: number | null;
    readonly etaMs: number | null;
    /** Rows a second at most; null: no limit. */
    readonly limit: number | null;
    readonly problem: string | null;
  } | null;
  /** The commands that take it one step on; the likeliest first. */
  readonly nextSteps: readonly NextStep[];
}

/** Reads both databases once, and adds what the engine knows; never throws: what can't be read is in `trouble`. */
export async function readLiveStatus(controller: CapabilityController): Promise<LiveStatus> {
  const { capability, flags, opened, standing } = controller;
  const reason = waitingReason(standing);
  const facts = readFacts(controller.sides);
  const status = await statusIn(facts, capability, flags);
  const { data, unread } = await dataStatusOf(opened, facts);
  const run = data?.backfill;
  const broken = data?.problem?.message ?? null;
  const stuck = status.moving && controller.troubleOf(status.moving.id);
  return {
    ...status,
    trouble: [
      ...(standing.as === 'waiting' && !status.trouble.includes(reason) ? [reason] : []),
      ...status.trouble,
      // What keeps a side from being read is told already.
      ...(unread !== null && status.trouble.length === 0 ? [unread] : []),
      ...(stuck ? [`the handover can't be finished: ${stuck}`] : []),
    ],
    standing,
    wayBack: wayBackOf({ ...status, broken }),
    intent: controller.reconciler.view,
    gates: await gatesOf(controller, facts, status),
    broken,
    transport: data?.feed.transport ?? null,
    backfillRun: run
      ? {
          running: run.running,
          rowsPerSecond: run.rowsPerSecond,
          etaMs: run.etaMs,
          limit: run.limit,
          problem: run.problem,
        }
      : null,
    nextSteps: nextSteps(status),
  };
}

interface DataReading {
  readonly data: ReplicationStatus | undefined;
  /** Why it can't be read; null where it can. */
  readonly unread: string | null;
}

/** What is carried and copied. */
async function dataStatusOf(
  opened: OpenCapability | undefined,
  facts: Facts,
): Promise<DataReading> {
  try {
    return { data: await opened?.data.status(facts), unread: null };
  } catch (error) {
    // The fences say so, and the doctor says what helps.
    if (error instanceof TwoOwnersError) return { data: undefined, unread: null };
    const unread = `it is unknown whether changes are carried: ${errorText(error)}`;
    return { data: undefined, unread };
  }
}

async function gatesOf(
  { opened, standing, reconciler }: CapabilityController,
  facts: Facts,
  { owner, backfill }: CapabilityStatus,
): Promise<readonly Gate[] | null> {
  if (!opened || standing.as !== 'leader' || owner === null || backfill.state !== 'done')
    return null;
  return reconciler.gates.show(opened, facts, otherSide(owner));
}
