import { setTimeout as delay } from 'node:timers/promises';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import { Handovers } from './handovers.ts';
import type { Announcer } from '../ownership/handover/store-switcher.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import { Leases, newHolder } from './leases.ts';
import { movedTruth } from './routing-truth.ts';
import { openCapability } from './open-capability.ts';
import type { DataDeclaration, OpenCapability } from './open-capability.ts';
import { RoutingPublisher } from './routing-publisher.ts';

/** An engine that lives holds the leases, and it is for it to act. */
export class LeaseHeldError extends Error {
  override readonly name = 'LeaseHeldError';
}

interface OfflineLeaderOptions {
  readonly declaration: DataDeclaration;
  readonly redisUrl?: string | undefined;
  readonly log: Logger;
  /** By which facades know what an engine tells. */
  readonly token: OperatorToken;
  /** For how long to wait for the leases of an engine that may be gone, in ms. */
  readonly patienceMs: number;
}

const RETRY_MS = 50;

/**
 * Acts on a capability in place of an engine that is dead, under its leases: an engine that comes
 * back meanwhile stands by, and one that was only asleep has no say any more.
 * @throws LeaseHeldError while an engine keeps them
 */
export async function withOfflineLeader<T>(
  { declaration, redisUrl, log, token, patienceMs }: OfflineLeaderOptions,
  work: (context: LeaderContext) => Promise<T>,
): Promise<T> {
  const opened = openCapability(declaration, { redisUrl: undefined, log });
  const publisher = new RoutingPublisher(redisUrl, log, token);
  const { legacy, extracted } = opened.sides;
  const leases = new Leases({ legacy: legacy.store, extracted: extracted.store }, newHolder());
  try {
    await takeInTime(leases, opened, patienceMs);
    for (const side of [legacy, extracted]) await side.upgrade();
    const handovers = new Handovers({
      opened,
      leases,
      publisher: withoutReplicaReads(publisher),
      log,
    });
    return await work({ opened, handovers, leases });
  } finally {
    await leases.release();
    await opened.data.stop();
    publisher.close();
  }
}

async function takeInTime(
  leases: Leases,
  { data }: OpenCapability,
  patienceMs: number,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await leases.take(() => undefined))) {
    if (performance.now() > deadline) {
      throw new LeaseHeldError(`an engine holds the lease of ${data.capability}`);
    }
    await delay(RETRY_MS);
  }
}

/** Nobody carries changes afterwards, so the other side is not said to be fit for reads. */
function withoutReplicaReads(publisher: RoutingPublisher): Announcer {
  return {
    hold: (move) => publisher.hold(move),
    owner: async (move, owner, epoch) => {
      const truth = movedTruth(undefined, move, owner, epoch);
      if (truth) await publisher.tell(move.capability, { ...truth, replicaReady: false });
    },
  };
}
