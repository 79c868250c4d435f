import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { backoff, jittered } from './backoff.ts';
import { reasonOf } from './dead-letters.ts';
import type { Logger } from './log.ts';
import { advance, isUnderWay, lastEffect, STUCK_AFTER, StepFailure } from './saga.ts';
import type {
  Lease,
  SagaDefinition,
  SagaRecord,
  SagaStore,
  StepEvent,
  StepFailed,
  StuckAfter,
} from './saga.ts';
import { isTemporary } from './temporary.ts';

interface RunnerOptions<Data, Trx> {
  readonly definition: SagaDefinition<Data, Trx>;
  readonly store: SagaStore<Data, Trx>;
  readonly log: Logger;
  /** How long a dead worker's sagas wait before another takes them. */
  readonly leaseMs?: number;
  readonly pollMs?: number;
  readonly backoffMs?: (failures: number) => number;
  readonly stuckAfter?: StuckAfter;
}

export interface SagaRunner<Data> {
  /** The lease to record a new saga with, so that it is this runner's from birth. */
  readonly lease: Lease;
  /**
   * Drives a saga that is leased to this runner to its end, or until it is stuck.
   * @returns the record then; undefined when the runner stopped or lost the lease before
   */
  drive(record: SagaRecord<Data>): Promise<SagaRecord<Data> | undefined>;
  /** Goes on with a saga: joins this runner's own drive, or claims one that nobody drives. */
  resume(id: string): Promise<void>;
  /** Whether a saga waits for the decision of an operator. */
  isStuck(id: string): Promise<boolean>;
  /** Starts to renew leases and to pick up what a crash has left behind. */
  start(): void;
  /** Lets the steps under way finish, takes no others, and gives all leases back. */
  stop(): Promise<void>;
}

const ABANDONED_AT_ONCE = 20;

const LONGEST_BACKOFF_MS = 5_000;

/** From 50 ms, doubling up to `longestMs`, with jitter. */
export function backoffUpTo(longestMs: number): (failures: number) => number {
  return (failures) => jittered(backoff(failures, { firstMs: 50, longestMs }));
}

/** A step's failure, for good unless it is one that may pass. */
function failureOf(error: unknown): StepFailed {
  const passes = error instanceof StepFailure ? !error.permanent : isTemporary(error);
  if (passes) return { outcome: 'failed' };
  return { outcome: 'failed', permanent: { reason: reasonOf(error), since: Date.now() } };
}

/** Runs the sagas of one type, any number at a time, each by one worker at a time. */
export function createSagaRunner<Data, Trx>({
  definition,
  store,
  log,
  leaseMs = 5_000,
  pollMs = 500,
  backoffMs = backoffUpTo(LONGEST_BACKOFF_MS),
  stuckAfter = STUCK_AFTER,
}: RunnerOptions<Data, Trx>): SagaRunner<Data> {
  const worker = randomUUID();
  const driven = new Map<string, Promise<SagaRecord<Data> | undefined>>();
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];

  const lease: Lease = { worker, forMs: leaseMs };

  async function take(saga: SagaRecord<Data>): Promise<StepEvent<Data>> {
    const step = definition.steps[saga.step];
    try {
      if (!step) throw new Error(`this build has no step ${saga.step} of ${definition.type}`);
      if (saga.status === 'forward') return await step.run(saga.data);
      return { outcome: 'undone', data: (await step.undo?.(saga.data)) ?? {} };
    } catch (error) {
      const { failures, id, status } = saga;
      log.warn(
        { err: error, saga: id, step: step?.name ?? saga.step, status, failures },
        'step failed',
      );
      return failureOf(error);
    }
  }

  /**
   * Records what came of the present step, until it is recorded: the step is taken, and forgetting that would
   * only repeat it. What can't be recorded for good counts as a failure of the step: it has the same limit.
   * @returns the record; undefined when the runner stopped or lost the lease before
   */
  async function advanceBy(
    current: SagaRecord<Data>,
    event: StepEvent<Data>,
  ): Promise<SagaRecord<Data> | undefined> {
    const next = advance(current, definition.steps.length, event, stuckAfter);
    const effect = lastEffect(definition, next);
    for (let failures = 1; ; failures += 1) {
      try {
        return (await store.save(next, lease, effect)) ? next : undefined;
      } catch (error) {
        log.error({ err: error, saga: next.id, failures }, 'could not record a step');
        if (stopping.signal.aborted) return undefined;
        const failure = failureOf(error);
        if (failure.permanent && event.outcome !== 'failed') return advanceBy(current, failure);
        await pause(backoffMs(failures));
      }
    }
  }

  async function pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  async function run(start: SagaRecord<Data>): Promise<SagaRecord<Data> | undefined> {
    let current = start;
    while (isUnderWay(current)) {
      if (stopping.signal.aborted) return undefined;
      const next = await advanceBy(current, await take(current));
      if (!next) return undefined;
      current = next;
      if (current.failures > 0 && !current.stuck) await pause(backoffMs(current.failures));
    }
    const { id, status, step, stuck } = current;
    if (stuck) {
      log.error({ saga: id, status, step, ...stuck }, 'a saga is stuck: an operator has to decide');
    }
    return current;
  }

  function drive(saga: SagaRecord<Data>): Promise<SagaRecord<Data> | undefined> {
    const known = driven.get(saga.id);
    if (known) return known;
    const end = run(saga).finally(() => driven.delete(saga.id));
    driven.set(saga.id, end);
    return end;
  }

  async function resume(id: string): Promise<void> {
    const known = driven.get(id);
    if (known) {
      await known;
      return;
    }
    const claimed = await store.claim(id, lease);
    if (claimed) await drive(claimed);
  }

  async function pickUpAbandoned(): Promise<void> {
    for (const saga of await store.claimAbandoned(lease, ABANDONED_AT_ONCE)) {
      // Ours, but its lease ran out before we renewed it: it is being driven already.
      if (driven.has(saga.id)) continue;
      log.info({ saga: saga.id, status: saga.status, step: saga.step }, 'going on with a saga');
      void drive(saga);
    }
  }

  /** Runs `work` every `ms`, never twice at once; its failures are logged and it goes on. */
  function every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => log.error({ err: error }, 'saga upkeep failed'))
        .finally(() => {
          busy = false;
        });
    }, ms);
    timer.unref();
    timers.push(timer);
  }

  return {
    lease,
    drive,
    resume,
    isStuck: async (id) => (await store.findStuck(id)) !== undefined,
    start() {
      every(pollMs, pickUpAbandoned);
      every(leaseMs / 3, async () => {
        if (driven.size > 0) await store.renew(lease);
      });
    },
    async stop() {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
      await Promise.allSettled(driven.values());
      await store.release(worker);
    },
  };
}
