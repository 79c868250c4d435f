import Database from 'better-sqlite3';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../../rehearsal/index.ts';
import type { System } from '../../../system/index.ts';
import { fileOf } from '../base/rows.ts';
import type { Capability, SideName } from '../base/rows.ts';
import { DEEDS, IMAGES } from './deeds.ts';
import type { Deed } from './deeds.ts';

/** A person at a SQL prompt, who changes rows at whichever side takes them, past every service. */
export interface Hand {
  /** Deeds that were committed. */
  readonly done: number;
  /** Ends after the deed under way. @throws what SQL said, if a deed failed other than by a fence */
  stop(): Promise<void>;
  /** What a side shows other than what was committed; empty when nothing was lost. */
  lost(side: SideName): string[];
}

const BETWEEN_MS = 12;
const AGAIN_MS = 2;

type Outcome = 'done' | 'fenced' | 'busy';

/** Starts to change rows of a capability that belong to no customer, a few every moment. */
export function startHand(system: System, capability: Capability, seed: number): Hand {
  const random = createRandom(seed);
  const known = new Map<string, string>();
  const prompts = {
    legacy: open(fileOf(system, capability, 'legacy')),
    extracted: open(fileOf(system, capability, 'extracted')),
  };
  let side: SideName = 'legacy';
  let stopped = false;
  let done = 0;

  async function commit(deed: Deed): Promise<boolean> {
    while (!stopped) {
      const outcome = attempt(prompts[side], deed, side);
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
        prompts.legacy.close();
        prompts.extracted.close();
      }
    },
    lost: (at) => compare(`${capability} by hand, ${at}`, known, imagesAt(system, capability, at)),
  };
}

/** Waiting inside SQLite would stop this process, and with it whoever wakes a paused one up. */
function open(file: string): Database.Database {
  return new Database(file, { timeout: 0 });
}

function attempt(prompt: Database.Database, { sql }: Deed, side: SideName): Outcome {
  const transaction = prompt.transaction(() => {
    let changes = 0;
    for (const [text, ...values] of sql[side])
      changes += prompt.prepare(text).run(...values).changes;
    // A fence is a trigger: it says nothing where no row is there to be changed.
    if (changes === 0) throw new Error('FENCED: no row was there');
  });
  try {
    transaction.immediate();
    return 'done';
  } catch (error) {
    if (String(error).includes('FENCED')) return 'fenced';
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return 'busy';
    throw error;
  }
}

function imagesAt(system: System, capability: Capability, side: SideName): Map<string, string> {
  const database = new Database(fileOf(system, capability, side), { readonly: true });
  try {
    const rows = database.prepare(IMAGES[capability][side]).raw().all() as [string, string][];
    return new Map(rows);
  } finally {
    database.close();
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
