import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { backoff, jittered } from '../backoff.ts';
import { reasonOf } from '../dead-letters.ts';
import type { Logger } from '../log.ts';
import { isTemporary } from '../temporary.ts';
import { inSpan, parentIn } from '../trace.ts';
import { LATE, within } from '../within.ts';
import { advance } from './advance.ts';
import type { StepEvent } from './advance.ts';
import { nameOf } from './decisions.ts';
import { lastEffect, StepFailure, stepsOf } from './definition.ts';
import type { SagaDefinition, SagaStep, StepPolicy } from './definition.ts';
import type { HistoryEntry } from './history.ts';
import { isUnderWay } from './record.ts';
import type { SagaRecord } from './record.ts';
import type { AroundStep } from './step-attempt.ts';
import type { Lease, SagaStore } from './store.ts';
import { traceStep } from './trace-step.ts';

interface RunnerOptions<Data, Trx> {
  readonly definition: SagaDefinition<Data, Trx>;
  readonly store: SagaStore<Data, Trx>;
  readonly log: Logger;
  /** How long a dead worker's sagas wait before another takes them. */
  readonly leaseMs?: number;
  readonly pollMs?: number;
  /** What is done around each attempt at a step; a span when absent. */
  readonly around?: AroundStep;
}

export interface SagaRunner<Data> {
  /** The lease to record a new saga with, so that it is this runner's from birth. */
  readonly lease: Lease;
  /**
   * Drives a saga that is leased to this runner to its end, or until it is stuck.
   * @returns the record then; undefined when the runner stopped or lost the lease before
   */
  drive(record: SagaRecord<Data>): Promise<SagaRecord<Data> | undefined>;
  /** Goes on with a saga: joins this runner's own drive, or claims one that no runner drives. */
  resume(id: string): Promise<void>;
  /** Whether a saga waits for the decision of an operator. */
  isStuck(id: string): Promise<boolean>;
  /** Starts to renew leases and to pick up what a crash has left behind. */
  start(): void;
  /** Lets the steps under way finish, takes no others, and gives all leases back. */
  stop(): Promise<void>;
}

const ABANDONED_AT_ONCE = 20;

/** How often a runner looks for sagas of versions that it does not know. */
const UNKNOWN_EVERY_MS = 10_000;

/** An attempt that took longer than its deadline: the step may still have its effect. */
class StepTimedOut extends StepFailure {
  override readonly name = 'StepTimedOut';

  constructor(deadlineMs: number) {
    super(`there was no answer within ${deadlineMs} ms`, false);
  }
}

/** Runs the sagas of one type, any number at a time, each by one worker at a time. */
export function createSagaRunner<Data, Trx>({
  definition,
  store,
  log,
  leaseMs = 5_000,
  pollMs = 500,
  around = traceStep,
}: RunnerOptions<Data, Trx>): SagaRunner<Data> {
  const worker = randomUUID();
  const driven = new Map<string, Promise<SagaRecord<Data> | undefined>>();
  const stopping = new AbortController();
  const timers: NodeJS.Timeout[] = [];

  const lease: Lease = { worker, forMs: leaseMs };

  /** The present step of a saga, and what it may take. */
  function presentOf({ version, step: index }: SagaRecord<Data>) {
    const steps = stepsOf(definition, version) ?? [];
    const step = steps[index];
    const policy: StepPolicy = { ...definition.policy, ...step?.policy };
    return { step, name: nameOf(step, index), count: steps.length, policy };
  }

  async function take(saga: SagaRecord<Data>, now: () => number): Promise<StepEvent<Data>> {
    const { step, name, policy } = presentOf(saga);
    const { id, status, failures, traceparent } = saga;
    const direction = directionOf(saga);
    try {
      if (!step) throw new Error(`this build has no step ${name} of ${definition.type}`);
      const attempt = { type: definition.type, saga: id, step: name, direction, traceparent };
      const event = await around(attempt, () => within(policy.deadlineMs, once(step, saga)));
      // What the attempt still does is done under the step's key, and so is what asks for it again.
      if (event === LATE) throw new StepTimedOut(policy.deadlineMs);
      return event;
    } catch (error) {
      log.warn({ err: error, saga: id, step: name, status, failures }, 'step failed');
      return failureOf(error, now());
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
    startedAt: number,
    now: () => number,
  ): Promise<SagaRecord<Data> | undefined> {
    const { name, count, policy } = presentOf(current);
    const next = advance(current, count, event, policy);
    const effect = lastEffect(definition, next);
    const entry: HistoryEntry = {
      step: name,
      direction: directionOf(current),
      ...resultOf(event),
      attempt: current.attempt,
      startedAt,
      endedAt: now(),
    };
    for (let failures = 1; ; failures += 1) {
      try {
        return await store.save(next, lease, entry, effect);
      } catch (error) {
        log.error({ err: error, saga: next.id, failures }, 'could not record a step');
        if (stopping.signal.aborted) return undefined;
        const failure = failureOf(error, now());
        if (failure.permanent && event.outcome !== 'failed') {
          return advanceBy(current, failure, startedAt, now);
        }
        await pause(failures, policy);
      }
    }
  }

  async function pause(failures: number, policy: StepPolicy): Promise<void> {
    const range = { firstMs: policy.firstPauseMs, longestMs: policy.longestPauseMs };
    const ms = jittered(backoff(failures, range));
    await delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  async function run(start: SagaRecord<Data>): Promise<SagaRecord<Data> | undefined> {
    let current = start;
    let now = clockFrom(start.intentAt);
    while (isUnderWay(current)) {
      if (stopping.signal.aborted) return undefined;
      const startedAt = now();
      const next = await advanceBy(current, await take(current, now), startedAt, now);
      if (!next) return undefined;
      current = next;
      now = clockFrom(current.intentAt);
      if (current.failures > 0 && !current.stuck) {
        await pause(current.failures, presentOf(current).policy);
      }
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
      const span = { name: `saga ${definition.type} resumed`, kind: 'internal' } as const;
      void inSpan(span, parentIn(saga.traceparent), () => drive(saga));
    }
  }

  /** Says which sagas it leaves alone: those of another build, which should run as long as they are under way. */
  async function reportUnknown(): Promise<void> {
    const { unknown_version: count } = await store.countOpen();
    if (count === 0) return;
    const { type, version } = definition;
    log.warn({ type, version, count }, 'sagas of versions that this build does not know wait');
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
    isStuck: async (id) => ((await store.find(id))?.record.stuck ?? null) !== null,
    start() {
      every(pollMs, pickUpAbandoned);
      every(UNKNOWN_EVERY_MS, reportUnknown);
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

async function once<Data>(step: SagaStep<Data>, saga: SagaRecord<Data>): Promise<StepEvent<Data>> {
  if (saga.status === 'forward') return await step.run(saga.data);
  return { outcome: 'undone', data: (await step.undo?.(saga.data, saga.unknown)) ?? {} };
}

function directionOf({ status }: SagaRecord<unknown>): 'forward' | 'backward' {
  return status === 'backward' ? 'backward' : 'forward';
}

/** A step's failure, for good unless it is one that may pass. */
function failureOf(error: unknown, at: number) {
  const passes = error instanceof StepFailure ? !error.permanent : isTemporary(error);
  return { outcome: 'failed', reason: reasonOf(error), at, permanent: !passes } as const;
}

/** In the history, a failure that may pass is an unknown outcome. */
function resultOf(event: StepEvent<unknown>): Pick<HistoryEntry, 'result' | 'reason'> {
  if (event.outcome !== 'failed') return { result: event.outcome, reason: null };
  return { result: event.permanent ? 'failed' : 'unknown', reason: event.reason };
}

/** The database's clock, as this process goes on from a moment of it: two processes may share what it says. */
function clockFrom(databaseMs: number): () => number {
  const since = performance.now();
  return () => Math.floor(databaseMs + performance.now() - since);
}
