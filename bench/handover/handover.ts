import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../../system/index.ts';
import { urlOf, WARM_UP_MS } from './stage.ts';
import type { Contestant } from './stage.ts';

export type Way = 'forward' | 'back';

export interface Step {
  readonly step: string;
  readonly at: number;
  readonly ms: number;
}

/** One handover as the engine tells of it. */
export interface Handover {
  readonly capability: string;
  readonly way: Way;
  readonly epoch: number;
  /** From when the facades were asked to hold until they were told the owner, in ms. */
  readonly holdMs: number;
  readonly steps: readonly Step[];
}

/** One write that had to wait, as the facade tells of it. */
export interface Hold {
  readonly capability: string;
  readonly epoch: number;
  readonly ms: number;
}

export interface Moved {
  readonly handovers: readonly Handover[];
  readonly holds: readonly Hold[];
}

const CAPABILITIES = ['inventory', 'payment'] as const;
const PAUSE_MS = 250;
const PATIENCE_MS = 60_000;

/** The engine's fenced handover, as `fig switch` and `fig reverse` ask for it. */
export const fencedHandover: Contestant<Moved> = {
  name: 'fig',
  async prepare(system) {
    for (const capability of CAPABILITIES) {
      await order(system, 'backfills', { capability });
      await eventually(() => order(system, 'reconciles', { capability }));
    }
  },
  async move(system, { handovers: count, say, signal }) {
    await delay(WARM_UP_MS);
    const handovers: Handover[] = [];
    for (let number = 0; number < count; number += 1) {
      signal.throwIfAborted();
      handovers.push(await handOver(system, number));
      if ((number + 1) % 20 === 0) say(`fig: ${number + 1} of ${count}`);
      await delay(PAUSE_MS);
    }
    const answer = await fetch(`${urlOf(system, 'admin')}/holds`);
    return { handovers, holds: ((await answer.json()) as { holds: Hold[] }).holds };
  },
  /** Both sides are equal, too. */
  async settle(system) {
    for (const capability of CAPABILITIES) {
      await eventually(() => order(system, 'reconciles', { capability }));
    }
  },
};

/** Forward with one capability, then the other, then back with both. */
async function handOver(system: System, number: number): Promise<Handover> {
  const capability = CAPABILITIES[number % 2] as string;
  const way = number % 4 < 2 ? 'forward' : 'back';
  const to = way === 'forward' ? 'extracted' : 'legacy';
  const answer = await order(system, 'handovers', { capability, to });
  const { outcome, epoch, holdMs, steps } = answer as unknown as Handover & { outcome: string };
  if (outcome !== 'done') throw new Error(`the handover of ${capability} is ${outcome}`);
  return { capability, way, epoch, holdMs, steps };
}

async function order(
  system: System,
  what: string,
  body: object,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(`${urlOf(system, 'engine')}/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const given = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok || given['clean'] === false) {
    throw new Error(`the engine answered ${answer.status} to ${what}: ${JSON.stringify(given)}`);
  }
  return given;
}

async function eventually(work: () => Promise<unknown>): Promise<void> {
  for (const began = performance.now(); ; await delay(100)) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() - began > PATIENCE_MS) throw error;
    }
  }
}
