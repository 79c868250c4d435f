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

export function createSaboteur(
  system: System,
  plan: readonly PlannedKill[],
  say: (text: string) => void,
): Saboteur {
  const outages: Outage[] = [];
  let last: Promise<void> = Promise.resolve();

  async function kill(victim: Victim, afterMs: number): Promise<void> {
    await delay(afterMs);
    const from = Date.now();
    await system.kill(victim);
    if (victim === 'redis') await system.ready();
    else await system.ready(victim);
    const to = Date.now() + AFTERMATH_MS;
    outages.push({ process: victim, from, to });
    say(`  killed ${victim}; it was away for ${to - AFTERMATH_MS - from} ms`);
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
