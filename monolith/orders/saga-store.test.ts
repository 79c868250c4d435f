import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import {
  CallFailed,
  createLog,
  createSagaRunner,
  createStepDeadLetters,
  decideSaga,
  DEFAULT_POLICY,
  FencedError,
  stateOf,
  StepFailure,
} from '../../chassis/index.ts';
import type {
  Database,
  Decision,
  SagaDefinition,
  SagaRecord,
  SagaRunner,
  Transaction,
} from '../../chassis/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { dialects, eventually, temporaryDatabase } from '../../tests/support/index.ts';
import { createSagaStore, insertSaga } from './saga-store.ts';

interface Journey {
  readonly stops: readonly string[];
}
type JourneySaga = SagaDefinition<Journey, Transaction>;
type Runner = SagaRunner<Journey>;
type Behaviour = 'done' | 'refused' | 'throws once' | 'throws twice';

const TYPE = { type: 'journey', version: 1 } as const;
const log = createLog('saga', 'silent');

/**
 * A saga whose steps write down what they do; an effect is its key, so repeats show as one. Its end is
 * a row, written with the record of the end.
 */
function journey(behaviours: readonly Behaviour[], effects = new Set<string>()): JourneySaga {
  const thrown = new Map<string, number>();
  const maybeThrow = (name: string, behaviour: Behaviour) => {
    const times = { 'throws once': 1, 'throws twice': 2, done: 0, refused: 0 }[behaviour];
    const count = thrown.get(name) ?? 0;
    if (count >= times) return;
    thrown.set(name, count + 1);
    throw new Error(`${name} failed`);
  };
  return {
    ...TYPE,
    policy: DEFAULT_POLICY,
    steps: behaviours.map((behaviour, index) => ({
      name: `step ${index}`,
      async run({ stops }) {
        if (behaviour === 'refused') return { outcome: 'refused' };
        // The effect may be there although the step then fails: its answer got lost.
        effects.add(`step ${index}`);
        maybeThrow(`run ${index}`, behaviour);
        return { outcome: 'done', data: { stops: [...stops, `+${index}`] } };
      },
      async undo({ stops }) {
        effects.delete(`step ${index}`);
        maybeThrow(`undo ${index}`, behaviour);
        return { stops: [...stops, `-${index}`] };
      },
    })),
    completed: (trx, { stops }) => writeEnd(trx, `completed ${stops.join(' ')}`),
    compensated: (trx, { stops }) => writeEnd(trx, `compensated ${stops.join(' ')}`),
    whenDropped: { outcome: 'refused' },
    shown: (data) => data,
  };
}

async function writeEnd(trx: Transaction, end: string): Promise<void> {
  await trx('ENDS').insert({ END_TXT: end });
}

describe.each(dialects)('the runner of sagas that are kept on %s', (dialect) => {
  let database: Database;
  let count = 0;
  const runners: Runner[] = [];

  beforeAll(async () => {
    database = await temporaryDatabase(monolithMigrations, dialect);
    await database.transaction(async (trx) => {
      await trx.schema.createTable('ENDS', (table) => table.text('END_TXT'));
    });
  });

  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.stop()));
    await database.transaction(async (trx) => {
      await trx('ENDS').delete();
    });
  });

  afterAll(() => database.close());

  interface Timing {
    readonly leaseMs?: number;
    readonly backoff?: number;
    readonly giveUpMs?: number;
  }

  function runnerOf(definition: JourneySaga, more: Timing = {}) {
    const { leaseMs = 5_000, backoff = 0, giveUpMs: ms = 0 } = more;
    const store = createSagaStore<Journey>(database, definition);
    const limits = {
      firstPauseMs: backoff,
      longestPauseMs: backoff,
      refusals: { failures: 10, ms },
    };
    const policy = { ...definition.policy, ...limits };
    const options = { definition: { ...definition, policy }, store, log, leaseMs, pollMs: 10 };
    const runner = createSagaRunner<Journey, Transaction>(options);
    runners.push(runner);
    return runner;
  }

  /** A new saga, leased to this runner. */
  function begin(runner: Runner): Promise<SagaRecord<Journey>> {
    count += 1;
    const id = `s${count}`;
    return database.transaction((trx) =>
      insertSaga<Journey>(trx, TYPE, id, { stops: [] }, runner.lease),
    );
  }

  /** What is stored of a saga: its status, its next step, how often that failed. */
  async function stored({ id }: { readonly id: string }): Promise<[string, number, number]> {
    const row = (await database.read('ORD_SAGA').where({ SAGA_ID: id }).first()) as {
      STAT_CD: string;
      STEP_NO: number;
      FAIL_CNT: number;
    };
    return [row.STAT_CD, row.STEP_NO, row.FAIL_CNT];
  }

  async function ends(): Promise<string[]> {
    const rows = (await database.read('ENDS').select('END_TXT')) as { END_TXT: string }[];
    return rows.map(({ END_TXT }) => END_TXT);
  }

  const behaviours = array(
    constantFrom<Behaviour>('done', 'done', 'refused', 'throws once', 'throws twice'),
    { minLength: 1, maxLength: 5 },
  );

  it('ends with every effect or none, whatever fails and however often', async () => {
    await assert(
      asyncProperty(behaviours, async (plan) => {
        const effects = new Set<string>();
        const before = await ends();
        const runner = runnerOf(journey(plan, effects));
        const end = await runner.drive(await begin(runner));
        const refused = plan.indexOf('refused');
        const [forth, back] = [refused < 0 ? plan.length : refused, refused < 0 ? 0 : refused];
        const stops = [
          ...Array.from({ length: forth }, (_, index) => `+${index}`),
          ...Array.from({ length: back }, (_, index) => `-${back - 1 - index}`),
        ];
        expect(end?.data.stops).toEqual(stops);
        const said = `${refused < 0 ? 'completed' : 'compensated'} ${stops.join(' ')}`;
        expect(await ends()).toEqual([...before, said]);
        expect(effects.size).toBe(refused < 0 ? plan.length : 0);
      }),
      { numRuns: 25 },
    );
  });

  it('takes over what a dead runner left, and a zombie writes nothing', async () => {
    let wake: (() => void) | undefined;
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const definition = journey(['done', 'done']);
    const sleepy: JourneySaga = {
      ...definition,
      steps: definition.steps.map((step) => ({
        ...step,
        run: async (data) => {
          await asleep;
          return step.run(data);
        },
      })),
    };
    // Never started, so it does not renew its lease: to others it is dead.
    const dying = runnerOf(sleepy, { leaseMs: 1 });
    const saga = await begin(dying);
    const zombie = dying.drive(saga);
    const heir = runnerOf(definition);
    heir.start();
    await eventually(async () => expect(await ends()).toHaveLength(1));
    wake?.();
    expect(await zombie).toBeUndefined();
    expect(await ends()).toEqual(['completed +0 +1']);
    expect(await stored(saga)).toEqual(['C', 2, 0]);
  });

  it.each([1, -1])(
    'is gone on with on time, whatever its dead worker’s clock showed (%s h)',
    async (hours) => {
      const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + hours * 3_600_000);
      const definition = journey(['done']);
      const saga = await begin(runnerOf(definition, { leaseMs: 1_000 }));
      clock.mockRestore();
      const heir = runnerOf(definition);
      // Its lease lives, and a while later it does not.
      await heir.resume(saga.id);
      expect(await ends()).toEqual([]);
      heir.start();
      await eventually(async () => expect(await ends()).toEqual(['completed +0']));
    },
  );

  it('leaves alone what a living runner drives, however long a step takes', async () => {
    let finish: (() => void) | undefined;
    const long = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let runs = 0;
    const definition: JourneySaga = {
      ...journey([]),
      steps: [
        {
          name: 'long',
          run: async () => {
            runs += 1;
            await long;
            return { outcome: 'done' };
          },
        },
      ],
    };
    const [living, other] = [runnerOf(definition), runnerOf(definition)];
    const saga = await begin(living);
    living.start();
    other.start();
    const driven = living.drive(saga);
    // Whoever asks the other one to go on meanwhile is turned away by the lease.
    await other.resume(saga.id);
    expect(runs).toBe(1);
    expect(await stored(saga)).toEqual(['F', 0, 0]);
    finish?.();
    expect((await driven)?.status).toBe('completed');
    expect(runs).toBe(1);
  });

  it('stops between steps, and another goes on from there', async () => {
    const definition = journey(['throws once', 'done']);
    const first = runnerOf(definition, { backoff: 60_000 });
    const saga = await begin(first);
    const drive = first.drive(saga);
    await eventually(async () => expect(await stored(saga)).toEqual(['F', 0, 1]));
    await first.stop();
    expect(await drive).toBeUndefined();
    expect(await stored(saga)).toEqual(['F', 0, 1]);
    const second = runnerOf(definition);
    await second.resume(saga.id);
    expect(await ends()).toEqual(['completed +0 +1']);
  });

  it('drives a saga once, however many ask for it', async () => {
    const runner = runnerOf(journey(['done', 'done']));
    const saga = await begin(runner);
    await Promise.all([runner.drive(saga), runner.drive(saga), runner.resume(saga.id)]);
    expect(await ends()).toEqual(['completed +0 +1']);
  });

  it('records an end with its last effect, or neither', async () => {
    const seen: string[] = [];
    const definition = journey(['done']);
    const runner = runnerOf({
      ...definition,
      completed: async (trx, data) => {
        await definition.completed(trx, data);
        const [status] = await stored(saga);
        seen.push(status);
        if (seen.length === 1) throw new Error('the last effect failed');
      },
    });
    const saga = await begin(runner);
    await runner.drive(saga);
    expect(seen).toEqual(['F', 'F']);
    expect(await ends()).toEqual(['completed +0']);
    expect(await stored(saga)).toEqual(['C', 1, 0]);
  });

  /** A journey whose second step is refused for good: when it is taken, or when it is undone. */
  function refusing(at: 'run' | 'undo', plan: readonly Behaviour[] = ['done', 'done', 'done']) {
    const fault: { error: Error | undefined; attempts: number } = {
      error: new StepFailure('no such account', true),
      attempts: 0,
    };
    const definition = journey(plan);
    const faulty: JourneySaga = {
      ...definition,
      steps: definition.steps.map((step, index) =>
        index !== 1
          ? step
          : {
              ...step,
              [at]: (data: Journey) => {
                fault.attempts += 1;
                if (fault.error) throw fault.error;
                return at === 'run' ? step.run(data) : step.undo?.(data, false);
              },
            },
      ),
    };
    const letters = createStepDeadLetters<Journey, Transaction>({
      definition: faulty,
      store: createSagaStore<Journey>(database, faulty),
    });
    return { definition: faulty, fault, letters };
  }

  it('gives up after ten permanent refusals in a row, and goes on when an operator retries', async () => {
    const { definition, fault, letters } = refusing('run');
    const runner = runnerOf(definition);
    const saga = await begin(runner);
    runner.start();
    expect(await runner.drive(saga)).toMatchObject({ stuck: { reason: 'no such account' } });
    expect(fault.attempts).toBe(10);
    expect(await runner.isStuck(saga.id)).toBe(true);
    expect(await letters.list(10)).toEqual([
      {
        id: saga.id,
        what: 'journey: step 1',
        reason: 'no such account',
        attempts: 10,
        since: expect.any(Number),
      },
    ]);
    expect(await letters.find(saga.id)).toMatchObject({ details: { stops: ['+0'] } });
    // Nobody claims it, though its lease is given back; another saga shows that they look.
    await runner.resume(saga.id);
    const later = await begin(runnerOf(definition, { leaseMs: 1 }));
    await eventually(async () => expect(await runner.isStuck(later.id)).toBe(true));
    expect(fault.attempts).toBe(20);
    expect(await stored(saga)).toEqual(['F', 1, 10]);
    fault.error = undefined;
    expect(await letters.retry(saga.id)).toBe(true);
    await eventually(async () => expect(await ends()).toEqual(['completed +0 +1 +2']));
    expect(await letters.retry(saga.id)).toBe(false);
    expect(await letters.drop(later.id)).toBe(true);
    await eventually(async () => expect(await ends()).toContain('compensated +0 -0'));
    expect(await letters.count()).toBe(0);
  });

  it('never gives up what may go well another time, and counts refusals in a row only', async () => {
    const { definition, fault } = refusing('run');
    const refused = fault.error;
    const run = definition.steps[1]?.run;
    const moody: JourneySaga = {
      ...definition,
      steps: definition.steps.map((step, index) => ({
        ...step,
        run: (data) => {
          if (index !== 1) return step.run(data);
          // Nine refusals, then an owner that is away, and so on.
          fault.error = fault.attempts % 10 === 9 ? new StepFailure('away', false) : refused;
          if (fault.attempts === 30) fault.error = undefined;
          return run?.(data) ?? step.run(data);
        },
      })),
    };
    const runner = runnerOf(moody);
    expect(await runner.drive(await begin(runner))).toMatchObject({
      status: 'completed',
      failures: 0,
      permanent: null,
    });
    expect(fault.attempts).toBe(31);
  });

  it.each([
    ['a fence', new FencedError('payment', { state: 'ceded', epoch: 2 })],
    ['a network', new CallFailed('POST /api/payments: timed out', true, undefined)],
    ['a database', Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' })],
  ])('never gives up for %s, which may be right again', async (_what, error) => {
    const { definition, fault } = refusing('run');
    fault.error = error;
    const runner = runnerOf(definition);
    const drive = runner.drive(await begin(runner));
    await eventually(() => expect(fault.attempts).toBeGreaterThan(15));
    fault.error = undefined;
    expect(await drive).toMatchObject({ status: 'completed' });
  });

  it('gives up no sooner than a step has failed for long enough, over a restart', async () => {
    const { definition, fault } = refusing('run');
    const first = runnerOf(definition, { giveUpMs: 60_000 });
    const saga = await begin(first);
    void first.drive(saga);
    await eventually(() => expect(fault.attempts).toBeGreaterThan(12));
    await first.stop();
    await database.transaction(async (trx) => {
      await trx('ORD_SAGA').where({ SAGA_ID: saga.id }).decrement('PERM_TS', 60_000);
    });
    const before = fault.attempts;
    const second = runnerOf(definition, { giveUpMs: 60_000 });
    await second.resume(saga.id);
    expect(fault.attempts).toBe(before + 1);
    expect(await second.isStuck(saga.id)).toBe(true);
  });

  it('is stuck where a build does not know its step, and says so', async () => {
    const runner = runnerOf(journey([]));
    expect(await runner.drive(await begin(runner))).toMatchObject({
      stuck: { reason: 'this build has no step 0 of journey' },
    });
  });

  it('keeps count over a restart', async () => {
    const { definition, fault } = refusing('run');
    const first = runnerOf(definition, { backoff: 60_000 });
    const saga = await begin(first);
    void first.drive(saga);
    await eventually(async () => expect(await stored(saga)).toEqual(['F', 1, 1]));
    await first.stop();
    const second = runnerOf(definition);
    await second.resume(saga.id);
    expect(fault.attempts).toBe(10);
    expect(await second.isStuck(saga.id)).toBe(true);
  });

  it('drops a step that is stuck going back: what it has done stays', async () => {
    const { definition, letters } = refusing('undo', ['done', 'done', 'refused']);
    const runner = runnerOf(definition);
    const saga = await begin(runner);
    expect(await runner.drive(saga)).toMatchObject({ status: 'backward', step: 1 });
    expect(await letters.find(saga.id)).toMatchObject({ what: 'journey: undo step 1' });
    expect(await letters.drop(saga.id)).toBe(true);
    await runner.resume(saga.id);
    expect(await ends()).toEqual(['compensated +0 +1 -0']);
  });

  it('ends with its last effect when the first step is dropped', async () => {
    const definition = journey(['done']);
    const never: JourneySaga = {
      ...definition,
      steps: [
        {
          name: 'never',
          run: () => {
            throw new StepFailure('never', true);
          },
        },
      ],
    };
    const runner = runnerOf(never);
    const saga = await begin(runner);
    await runner.drive(saga);
    const store = createSagaStore<Journey>(database, never);
    const letters = createStepDeadLetters<Journey, Transaction>({ definition: never, store });
    expect(await letters.drop(saga.id)).toBe(true);
    expect(await ends()).toEqual(['compensated ']);
    expect(await stored(saga)).toEqual(['X', -1, 0]);
    expect(await letters.drop(saga.id)).toBe(false);
  });

  /** The history of a saga, without its times. */
  async function historyOf(definition: JourneySaga, id: string): Promise<string[]> {
    const entries = await createSagaStore<Journey>(database, definition).history(id);
    for (const { startedAt, endedAt } of entries) {
      expect(startedAt).toBeGreaterThan(0);
      expect(endedAt).toBeGreaterThanOrEqual(startedAt);
    }
    return entries.map(({ step, direction, result, reason, attempt, times }) =>
      [step, direction, result, `#${attempt} x${times}`, reason].filter(Boolean).join(' '),
    );
  }

  it('records what has become of each step: failures are one line, with a count', async () => {
    const definition = journey(['throws twice', 'done', 'refused']);
    const runner = runnerOf(definition);
    const saga = await begin(runner);
    await runner.drive(saga);
    expect(await historyOf(definition, saga.id)).toEqual([
      'step 0 forward failed #2 x2 run 0 failed',
      'step 0 forward done #3 x1',
      'step 1 forward done #1 x1',
      'step 2 forward refused #1 x1',
      'step 1 backward undone #1 x1',
      'step 0 backward failed #2 x2 undo 0 failed',
      'step 0 backward undone #3 x1',
    ]);
  });

  it('knows of a dead worker’s step that it may have been taken, and of one that was stopped that it was not', async () => {
    const definition = journey(['done']);
    const dead = runnerOf(definition, { leaseMs: 1 });
    const stopped = runnerOf(definition);
    const sagas = [await begin(dead), await begin(stopped)];
    await stopped.stop();
    const heir = runnerOf(definition);
    for (const { id } of sagas)
      await eventually(async () => {
        await heir.resume(id);
        expect((await historyOf(definition, id)).at(-1)).toMatch(/^step 0 forward done/);
      });
    expect(await historyOf(definition, sagas[0]?.id ?? '')).toEqual([
      expect.stringMatching(/^step 0 forward unknown #1 x1 its process ended, or lost its lease/),
      'step 0 forward done #2 x1',
    ]);
    expect(await historyOf(definition, sagas[1]?.id ?? '')).toEqual(['step 0 forward done #1 x1']);
  });

  it('leaves alone what began with steps that it does not know, and goes on with those of a former version', async () => {
    const former = journey(['done', 'done']);
    const newer: JourneySaga = { ...journey(['done', 'done', 'done']), version: 2 };
    const both: JourneySaga = { ...newer, earlier: { 1: former.steps } };
    const old = await begin(runnerOf(former, { leaseMs: 1 }));
    const unaware = runnerOf(newer);
    unaware.start();
    const store = createSagaStore<Journey>(database, newer);
    await unaware.resume(old.id);
    await eventually(async () => expect((await store.countOpen()).unknown_version).toBe(1));
    expect(await store.claimAbandoned({ worker: 'w', forMs: 1_000 }, 10)).toEqual([]);
    expect(await stored(old)).toEqual(['F', 0, 0]);
    const aware = runnerOf(both);
    await aware.resume(old.id);
    expect(await ends()).toEqual(['completed +0 +1']);
    expect((await store.countOpen()).unknown_version).toBe(0);
  });

  it('does not wait longer for a step than its deadline, and asks again', async () => {
    let calls = 0;
    const definition = journey([]);
    const slow: JourneySaga = {
      ...definition,
      steps: [
        {
          name: 'slow',
          policy: { deadlineMs: 20 },
          run: () => {
            calls += 1;
            return calls === 1
              ? new Promise(() => undefined)
              : Promise.resolve({ outcome: 'done' });
          },
        },
      ],
    };
    const runner = runnerOf(slow);
    const saga = await begin(runner);
    expect(await runner.drive(saga)).toMatchObject({ status: 'completed' });
    expect(await historyOf(slow, saga.id)).toEqual([
      'slow forward unknown #1 x1 there was no answer within 20 ms',
      'slow forward done #2 x1',
    ]);
  });

  it('is stuck when an owner stays away for longer than a step is repeated', async () => {
    const { definition, fault } = refusing('run');
    fault.error = new StepFailure('away', false);
    const impatient = { ...definition, policy: { ...definition.policy, retryForMs: 0 } };
    const runner = runnerOf(impatient);
    expect(await runner.drive(await begin(runner))).toMatchObject({ stuck: { reason: 'away' } });
  });

  describe('an operator’s decision', () => {
    const decide = async (definition: JourneySaga, id: string, decision: Decision) => {
      const store = createSagaStore<Journey>(database, definition);
      const told = await decideSaga(definition, store, id, decision, 'looked at it');
      return 'code' in told ? told.code : stateOf(told);
    };

    async function stuckAt(at: 'run' | 'undo', plan?: readonly Behaviour[]) {
      const found = refusing(at, plan);
      const runner = runnerOf(found.definition);
      const saga = await begin(runner);
      await runner.drive(saga);
      return { ...found, runner, saga };
    }

    it('to compensate undoes the step as well that no one knows of, and says so to it', async () => {
      const { definition, saga, runner } = await stuckAt('run');
      const told: [string, boolean][] = [];
      const asking: JourneySaga = {
        ...definition,
        steps: definition.steps.map((step) => ({
          ...step,
          undo: async (data, unknown) => {
            told.push([step.name, unknown]);
            return (await step.undo?.(data, unknown)) ?? {};
          },
        })),
      };
      expect(await decide(definition, saga.id, 'compensate')).toBe('compensating');
      await runner.stop();
      await runnerOf(asking).resume(saga.id);
      expect(told).toEqual([
        ['step 1', true],
        ['step 0', false],
      ]);
      expect(await historyOf(definition, saga.id)).toContain(
        'step 1 forward taken back #11 x1 looked at it',
      );
    });

    it('is refused where it makes no sense, and changes nothing then', async () => {
      const { definition, saga, fault, runner } = await stuckAt('run');
      expect(await decide(definition, 'nothing', 'retry')).toBe('no_saga');
      // What it has made is for its owner to say.
      expect(await decide(definition, saga.id, 'resolve as done')).toBe('cannot_resolve');
      const forward: JourneySaga = { ...definition, whenDropped: { outcome: 'done' } };
      expect(await decide(forward, saga.id, 'compensate')).toBe('cannot_compensate');
      expect(await decide(forward, saga.id, 'resolve as refused')).toBe('cannot_resolve');
      const newer: JourneySaga = { ...definition, version: 2 };
      expect(await decide(newer, saga.id, 'compensate')).toBe('unknown_version');
      expect(await stored(saga)).toEqual(['F', 1, 10]);
      fault.error = undefined;
      expect(await decide(definition, saga.id, 'retry')).toBe('running');
      expect(await decide(definition, saga.id, 'retry')).toBe('saga_not_stuck');
      await runner.resume(saga.id);
      expect(await decide(definition, saga.id, 'retry')).toBe('saga_not_stuck');
    });

    it('to resolve goes on as the operator says that it was', async () => {
      const { definition, saga, runner } = await stuckAt('run');
      const known: JourneySaga = {
        ...definition,
        steps: definition.steps.map((step) => ({
          ...step,
          assumedDone: ({ stops }: Journey) => ({ stops: [...stops, 'assumed'] }),
        })),
      };
      expect(await decide(known, saga.id, 'resolve as done')).toBe('running');
      await runner.resume(saga.id);
      const other = await stuckAt('run');
      expect(await decide(definition, other.saga.id, 'resolve as refused')).toBe('compensating');
      await other.runner.resume(other.saga.id);
      const back = await stuckAt('undo', ['done', 'done', 'refused']);
      expect(await decide(definition, back.saga.id, 'compensate')).toBe('cannot_compensate');
      expect(await decide(definition, back.saga.id, 'resolve as refused')).toBe('cannot_resolve');
      expect(await decide(definition, back.saga.id, 'resolve as done')).toBe('compensating');
      await back.runner.resume(back.saga.id);
      expect(await ends()).toEqual([
        'completed +0 assumed +2',
        'compensated +0 -0',
        'compensated +0 +1 -0',
      ]);
    });
  });
});
