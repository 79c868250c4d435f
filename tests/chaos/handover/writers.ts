import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../../rehearsal/index.ts';
import type { Random } from '../../../rehearsal/index.ts';
import type { Stand } from '../base/stand.ts';
import { FACADES } from './plan.ts';
import { tryOnce } from './writer-client.ts';
import type { FailedTry, Sent, AnsweredWrite } from './writer-ledger.ts';

/** Clients that write to few keys through both facades, and remember what they were told. */
export interface Writers {
  readonly told: readonly AnsweredWrite[];
  readonly failed: readonly FailedTry[];
  /** Ends when every write under way is answered, or has failed. */
  stop(): Promise<void>;
}

export const MARK = 'CHAOS-';
const CLIENTS = 6;
/** Between two writes of one client, in ms. */
const PAUSE_MS = 12;
const AGAIN_MS = 100;
/** Some clients give a write up at its first failure, so that its key has to tell what became of it. */
const GIVES_UP = 0.5;

export function startWriters(stand: Stand, seed: number): Writers {
  const told: AnsweredWrite[] = [];
  const failed: FailedTry[] = [];
  let stopped = false;

  async function client(number: number): Promise<void> {
    const random = createRandom(seed * 100 + number);
    for (let count = 0; !stopped && !stand.signal.aborted; count += 1) {
      told.push(await write(draw(random, stand, `${MARK}${number}-${count}`), random));
      await delay(random.between(0, 2 * PAUSE_MS));
    }
  }

  async function write(sent: Sent, random: Random): Promise<AnsweredWrite> {
    const patient = random.next() > GIVES_UP;
    for (let again = false; ; again = true) {
      const name = random.pick(FACADES);
      const url = stand.system.urls[name] ?? '';
      const { answer, failure } = await tryOnce(sent, { name, url }, again);
      if (answer) return { ...sent, answer };
      if (failure) failed.push(failure);
      if (!patient || stopped || stand.signal.aborted) return { ...sent, answer: null };
      await delay(AGAIN_MS);
    }
  }

  const working = Promise.all(Array.from({ length: CLIENTS }, (_unused, each) => client(each)));
  // Told by `stop`; until then a failure must not end the process.
  working.catch(() => undefined);
  return {
    told,
    failed,
    async stop() {
      stopped = true;
      await working;
    },
  };
}

/** Stock is only taken, never brought: customers watch that they never see more than there can be. */
function draw(random: Random, { dataset }: Stand, key: string): Sent {
  const customer = dataset.customers[random.between(0, dataset.customers.length - 1)]?.id ?? '';
  const sku = dataset.products[random.between(0, dataset.products.length - 1)]?.sku ?? '';
  return random.next() < 0.6
    ? { kind: 'adjustment', key, sku, customer, amount: -1 }
    : { kind: 'payment', key, sku, customer, amount: random.between(1, 9_999) };
}
