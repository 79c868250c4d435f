import { afterEach, describe, expect, it } from '@jest/globals';
import { array, assert, asyncProperty, constantFrom, nat, property } from 'fast-check';
import { eventually } from '../tests/support/index.ts';
import { createLog } from './log.ts';
import { createSagaRunner } from './saga-runner.ts';
import type { SagaRunner } from './saga-runner.ts';
import { advance, isUnderWay } from './saga.ts';
import type { Lease, SagaDefinition, SagaRecord, SagaStore } from './saga.ts';

interface Journey {
  readonly stops: readonly string[];
}

const log = createLog('saga', 'silent');

/** A store whose contents outlive the runners that use it, as a database would. */
class MemoryStore implements SagaStore<Journey, null> {
  readonly rows = new Map<string, { record: SagaRecord<Journey>; lease: Lease }>();
  saves = 0;

  insert(id: string, lease: Lease): SagaRecord<Journey> {
    const record = {
      id,
      status: 'forward' as const,
      step: 0,
      data: { stops: [] },
      failures: 0,
    };
    this.rows.set(id, { record, lease });
    return record;
  }

  #take(id: string, lease: Lease): SagaRecord<Journey> | undefined {
    const row = this.rows.get(id);
    if (!row || !isUnderWay(row.record) || row.lease.until > lease.now) return undefined;
    row.lease = lease;
    return row.record;
  }

  async claim(id: string, lease: Lease) {
    return this.#take(id, lease);
  }

  async claimAbandoned(lease: Lease, limit: number) {
    const taken = [...this.rows.keys()].map((id) => this.#take(id, lease));
    return taken.filter((record) => record !== undefined).slice(0, limit);
  }

  async save(record: SagaRecord<Journey>, lease: Lease, effect?: (trx: null) => Promise<void>) {
    this.saves += 1;
    const row = this.rows.get(record.id);
    if (row?.lease.worker !== lease.worker) return false;
    await effect?.(null);
    this.rows.set(record.id, { record, lease });
    return true;
  }

  async renew(lease: Lease) {
    for (const row of this.rows.values()) {
      if (row.lease.worker === lease.worker) row.lease = lease;
    }
  }

  async release(worker: string) {
    for (const row of this.rows.values()) {
      if (row.lease.worker === worker) row.lease = { ...row.lease, until: 0 };
    }
  }
}

type Behaviour = 'done' | 'refused' | 'throws once' | 'throws twice';

/** A saga whose steps write down what they do; an effect is its key, so repeats show as one. */
function journey(behaviours: readonly Behaviour[], effects: Set<string>, ends: string[]) {
  const thrown = new Map<string, number>();
  const maybeThrow = (name: string, behaviour: Behaviour) => {
    const times = { 'throws once': 1, 'throws twice': 2, done: 0, refused: 0 }[behaviour];
    const count = thrown.get(name) ?? 0;
    if (count >= times) return;
    thrown.set(name, count + 1);
    throw new Error(`${name} failed`);
  };
  const definition: SagaDefinition<Journey, null> = {
    type: 'journey',
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
    completed: async (_trx, { stops }) => {
      ends.push(`completed ${stops.join(' ')}`);
    },
    compensated: async (_trx, { stops }) => {
      ends.push(`compensated ${stops.join(' ')}`);
    },
  };
  return definition;
}

const runners: SagaRunner<Journey>[] = [];

function runnerOf(definition: SagaDefinition<Journey, null>, store: MemoryStore, leaseMs = 5_000) {
  const options = { definition, store, log, leaseMs, pollMs: 10, backoffMs: () => 0 };
  const runner = createSagaRunner<Journey, null>(options);
  runners.push(runner);
  return runner;
}

afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()));
});

describe('advance', () => {
  const events = array(constantFrom('done', 'refused', 'failed'), { maxLength: 40 });

  it('undoes exactly the done steps, newest first', () => {
    assert(
      property(nat({ max: 5 }), events, (extraSteps, outcomes) => {
        const steps = extraSteps + 1;
        let saga: SagaRecord<null> = {
          id: 's',
          status: 'forward',
          step: 0,
          data: null,
          failures: 0,
        };
        const done: number[] = [];
        const undone: number[] = [];
        for (const outcome of outcomes) {
          if (!isUnderWay(saga)) break;
          const { step, status } = saga;
          if (status === 'backward') {
            if (outcome !== 'failed') undone.push(step);
            const event = outcome === 'failed' ? outcome : 'undone';
            saga = advance<null>(saga, steps, { outcome: event });
          } else {
            if (outcome === 'done') done.push(step);
            saga = advance<null>(saga, steps, { outcome });
          }
        }
        expect(done).toEqual(done.map((_, index) => index));
        if (saga.status === 'completed') expect(done).toHaveLength(steps);
        if (saga.status === 'compensated') expect(undone).toEqual(done.toReversed());
      }),
    );
  });
});

describe('the runner', () => {
  const behaviours = array(
    constantFrom<Behaviour>('done', 'done', 'refused', 'throws once', 'throws twice'),
    { minLength: 1, maxLength: 5 },
  );

  it('ends with every effect or none, whatever fails and however often', async () => {
    await assert(
      asyncProperty(behaviours, async (plan) => {
        const effects = new Set<string>();
        const ends: string[] = [];
        const store = new MemoryStore();
        const runner = runnerOf(journey(plan, effects, ends), store);
        const end = await runner.drive(store.insert('s', runner.newLease()));
        const refused = plan.indexOf('refused');
        const [forth, back] = [refused < 0 ? plan.length : refused, refused < 0 ? 0 : refused];
        const stops = [
          ...Array.from({ length: forth }, (_, index) => `+${index}`),
          ...Array.from({ length: back }, (_, index) => `-${back - 1 - index}`),
        ];
        expect(end?.data.stops).toEqual(stops);
        expect(ends).toEqual([`${refused < 0 ? 'completed' : 'compensated'} ${stops.join(' ')}`]);
        expect(effects.size).toBe(refused < 0 ? plan.length : 0);
      }),
      { numRuns: 50 },
    );
  });

  it('takes over what a dead runner left, and a zombie writes nothing', async () => {
    const effects = new Set<string>();
    const ends: string[] = [];
    const store = new MemoryStore();
    let wake: (() => void) | undefined;
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const definition = journey(['done', 'done'], effects, ends);
    const sleepy: SagaDefinition<Journey, null> = {
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
    const dying = runnerOf(sleepy, store, 1);
    const zombie = dying.drive(store.insert('s', dying.newLease()));
    const heir = runnerOf(definition, store);
    heir.start();
    await eventually(() => ends.length === 1);
    wake?.();
    expect(await zombie).toBeUndefined();
    expect(ends).toEqual(['completed +0 +1']);
    expect(store.rows.get('s')?.record.status).toBe('completed');
  });

  it('stops between steps, and another goes on from there', async () => {
    const effects = new Set<string>();
    const ends: string[] = [];
    const store = new MemoryStore();
    const definition = journey(['throws once', 'done'], effects, ends);
    const options = { definition, store, log, backoffMs: () => 60_000 };
    const first = createSagaRunner<Journey, null>(options);
    const drive = first.drive(store.insert('s', first.newLease()));
    await eventually(() => store.saves === 1);
    await first.stop();
    expect(await drive).toBeUndefined();
    expect(store.rows.get('s')?.record).toMatchObject({ step: 0, failures: 1, status: 'forward' });
    const second = runnerOf(definition, store);
    await second.resume('s');
    expect(ends).toEqual(['completed +0 +1']);
  });

  it('drives a saga once, however many ask for it', async () => {
    const ends: string[] = [];
    const store = new MemoryStore();
    const runner = runnerOf(journey(['done', 'done'], new Set(), ends), store);
    const saga = store.insert('s', runner.newLease());
    await Promise.all([runner.drive(saga), runner.drive(saga), runner.resume('s')]);
    expect(ends).toHaveLength(1);
    expect(store.saves).toBe(2);
  });
});
