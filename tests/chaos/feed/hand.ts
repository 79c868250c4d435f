import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../../rehearsal/index.ts';
import type { System } from '../../../system/index.ts';
import { openPrompt } from '../base/prompt.ts';
import { urlOf } from '../base/rows.ts';
import type { Capability, SideName } from '../base/rows.ts';
import { DEEDS } from './deeds.ts';
import type { Deed } from './deeds.ts';
import { imagesSql } from './images.ts';

/** A person at a SQL prompt, who changes rows at whichever side takes them, past every service. */
export interface Hand {
  /** Deeds that were committed. */
  readonly done: number;
  /** Ends after the deed under way. @throws what SQL said, if a deed failed other than by a fence */
  stop(): Promise<void>;
  /** What a side shows other than what was committed; empty when nothing was lost. */
  lost(side: SideName): Promise<string[]>;
}

const BETWEEN_MS = 12;
const AGAIN_MS = 2;

/** Starts to change rows of a capability that belong to no customer, a few every moment. */
export async function startHand(
  system: System,
  capability: Capability,
  seed: number,
): Promise<Hand> {
  const random = createRandom(seed);
  const known = new Map<string, string>();
  const prompts = {
    legacy: await openPrompt(urlOf(system, capability, 'legacy')),
    extracted: await openPrompt(urlOf(system, capability, 'extracted')),
  };
  let side: SideName = 'legacy';
  let stopped = false;
  let done = 0;

  async function commit(deed: Deed): Promise<boolean> {
    while (!stopped) {
      const outcome = await prompts[side].change(deed.sql[side]);
      if (outcome === 'done') return true;
      if (outcome === 'fenced') side = side === 'legacy' ? 'extracted' : 'legacy';
      await delay(AGAIN_MS);
    }
    return false;
  }

  async function work(): Promise<void> {
    while (!stopped) {
      const deed = DEEDS[capability](random, known);
      if (!(await commit(deed))) return;
      done += 1;
      for (const [name, image] of Object.entries(deed.images)) {
        if (image === null) known.delete(name);
        else known.set(name, image);
      }
      await delay(random.between(0, BETWEEN_MS));
    }
  }

  const working = work();
  // Its failure is told by `stop`.
  working.catch(() => undefined);
  return {
    get done() {
      return done;
    },
    async stop() {
      stopped = true;
      try {
        await working;
      } finally {
        await prompts.legacy.close();
        await prompts.extracted.close();
      }
    },
    lost: async (at) =>
      compare(`${capability} by hand, ${at}`, known, await imagesAt(system, capability, at)),
  };
}

async function imagesAt(
  system: System,
  capability: Capability,
  side: SideName,
): Promise<Map<string, string>> {
  const prompt = await openPrompt(urlOf(system, capability, side));
  try {
    const rows = await prompt.rows(imagesSql(prompt.dialect, capability, side));
    // PostgreSQL puts blanks into its lists.
    return new Map(
      rows.map(({ name, image }) => [String(name), JSON.stringify(JSON.parse(String(image)))]),
    );
  } finally {
    await prompt.close();
  }
}

function compare(
  what: string,
  known: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...known.keys(), ...found.keys()])]
    .filter((name) => known.get(name) !== found.get(name))
    .map(
      (name) =>
        `${what}: ${name} is ${found.get(name) ?? 'gone'}, not ${known.get(name) ?? 'gone'}`,
    );
}
