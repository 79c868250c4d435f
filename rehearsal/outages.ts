import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../system/index.ts';
import type { Outage, PlannedKill, Victim } from './kills.ts';

/** Kills processes at planned moments and writes down how long each was away. */
export interface Saboteur {
  /** Carries out the kill that is planned for this stage, if any, while the stage goes on. */
  strike(stage: number): void;
  /** Waits for kills under way and for what they hit to be back. */
  finish(): Promise<readonly Outage[]>;
}

/** Requests may still fail for a moment after `/readyz` is green: connections are made anew. */
const AFTERMATH_MS = 300;

/** Does harm to a process, and waits until it serves again. @returns how long it was away */
export async function putOut(
  system: System,
  victim: string,
  harm: () => Promise<void>,
): Promise<Outage> {
  const from = Date.now();
  await harm();
  if (victim === 'redis') await system.ready();
  else await system.ready(victim);
  return { process: victim, from, to: Date.now() + AFTERMATH_MS };
}

export function createSaboteur(
  system: System,
  plan: readonly PlannedKill[],
  say: (text: string) => void,
): Saboteur {
  const outages: Outage[] = [];
  let last: Promise<void> = Promise.resolve();

  async function kill(victim: Victim, afterMs: number): Promise<void> {
    await delay(afterMs);
    const outage = await putOut(system, victim, () => system.kill(victim));
    outages.push(outage);
    say(`  killed ${victim}; it was away for ${outage.to - AFTERMATH_MS - outage.from} ms`);
  }

  return {
    strike(stage) {
      const planned = plan.find((kills) => kills.stage === stage);
      if (!planned) return;
      // One at a time: a second death while the first is being mended is another experiment.
      last = last.then(() => kill(planned.victim, planned.afterMs));
    },
    async finish() {
      await last;
      return outages;
    },
  };
}
