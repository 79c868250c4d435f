import { setTimeout as delay } from 'node:timers/promises';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import type { Contestant } from './perform.ts';
import { urlOf } from './stage.ts';

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
  /** From when it was asked for until it was done, in ms since 1970. */
  readonly from: number;
  readonly to: number;
}

/** One write that had to wait, as the facade tells of it. */
export interface Hold {
  readonly capability: string;
  readonly epoch: number;
  readonly ms: number;
}

export interface Moved {
  readonly handovers: readonly Handover[];
  /** How often one was refused by a gate or taken back, and asked for again. */
  readonly again: number;
  readonly holds: readonly Hold[];
}

export const CAPABILITIES = ['inventory', 'payment'] as const;
const PATIENCE_MS = 60_000;

/** The engine's fenced handover, as `fig switch` and `fig reverse` ask for it. */
export function fencedHandover(): Contestant<Moved> {
  const handovers: Handover[] = [];
  let again = 0;
  return {
    name: 'fig',
    async prepare(system) {
      for (const capability of CAPABILITIES) {
        await order(system, 'backfills', { capability });
        await eventually(() => order(system, 'reconciles', { capability }));
      }
    },
    async move(system, number) {
      const refused = (): void => void (again += 1);
      handovers.push(await eventually(() => handOver(system, number), refused));
    },
    /** And equal. */
    async level(system) {
      for (const capability of CAPABILITIES) {
        await eventually(() => order(system, 'reconciles', { capability }));
      }
    },
    async tell(system, from) {
      const answer = await fetch(`${urlOf(system, 'admin')}/holds`, {
        headers: asOperator(system),
      });
      const { holds } = (await answer.json()) as { holds: Hold[] };
      return { handovers: handovers.slice(from), holds, again };
    },
  };
}

/** Forward with one capability, then the other, then back with both. */
async function handOver(system: System, number: number): Promise<Handover> {
  const capability = CAPABILITIES[number % 2] as string;
  const way = number % 4 < 2 ? 'forward' : 'back';
  const to = way === 'forward' ? 'extracted' : 'legacy';
  const from = performance.timeOrigin + performance.now();
  const answer = await order(system, 'handovers', { capability, to });
  const { outcome, epoch, holdMs, steps } = answer as unknown as Handover & { outcome: string };
  if (outcome !== 'done') throw new Error(`the handover of ${capability} is ${outcome}`);
  return {
    capability,
    way,
    epoch,
    holdMs,
    steps,
    from,
    to: performance.timeOrigin + performance.now(),
  };
}

async function order(
  system: System,
  what: string,
  body: object,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(`${urlOf(system, 'engine')}/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...asOperator(system) },
    body: JSON.stringify(body),
  });
  const given = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok || given['clean'] === false) {
    throw new Error(`the engine answered ${answer.status} to ${what}: ${JSON.stringify(given)}`);
  }
  return given;
}

async function eventually<T>(work: () => Promise<T>, onFailure?: () => void): Promise<T> {
  for (const began = performance.now(); ; await delay(100)) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() - began > PATIENCE_MS) throw error;
      onFailure?.();
    }
  }
}
