import Database from 'better-sqlite3';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inventoryMapping } from '../../migrations/inventory/mapping.ts';
import { paymentMapping } from '../../migrations/payment/mapping.ts';
import { setFlags } from '../../strangler/routing/index.ts';
import type { System } from '../../system/index.ts';
import { RowCopier } from './row-copier.ts';
import type { Contestant } from './stage.ts';

/** How long a row takes to the other side. */
export const LAG_MS = 100;
const CALM_MS = 1_500;

/** What there is to see of a flip: when it is over, both databases say the same. */
export interface Flipped {
  readonly databasesEqual: boolean;
}

/**
 * Ownership moved by turning the flag alone: no hold, no fence, no waiting for what is on its way.
 * The facade, the applications and the load are the same as for the fenced handover.
 */
export function naiveFlip(): Contestant<Flipped> {
  let copiers: readonly RowCopier[] = [];
  let flipped = { databasesEqual: false };
  return {
    name: 'naive',
    variables: () => ({ FIG_CONFIG: fileURLToPath(new URL('naive-config.js', import.meta.url)) }),
    prepare: async (system) => {
      copiers = await withoutFences(system);
    },
    move: flip,
    async tell() {
      // Rows that crossed on their way are made equal by the next write to each.
      await delay(CALM_MS);
      return flipped;
    },
    async settle() {
      while (!copiers.every(({ idle }) => idle)) await delay(LAG_MS);
      // Known only now; whoever got the object sees it.
      flipped = Object.assign(flipped, { databasesEqual: copiers.every((each) => each.equal()) });
      for (const copier of copiers) copier.close();
    },
  };
}

function flip(system: System, number: number): Promise<void> {
  const capability = number % 2 === 0 ? 'inventory' : 'payment';
  const share = number % 4 < 2 ? 100 : 0;
  const flags = { [`${capability}.writes`]: share, [`${capability}.reads`]: share };
  return setFlags(system.env['FIG_FLAGS_FILE'] ?? '', flags);
}

/** Lets both sides take writes at any time, and carries rows to and fro. */
async function withoutFences(system: System): Promise<readonly RowCopier[]> {
  const copiers: RowCopier[] = [];
  for (const mapping of [inventoryMapping, paymentMapping]) {
    const legacy = fileOf(system, 'MONOLITH_DATABASE_URL');
    const extracted = fileOf(system, `${mapping.capability.toUpperCase()}_DATABASE_URL`);
    const service = new Database(extracted);
    service.exec(`CREATE TABLE fig_fence (capability TEXT, key TEXT, state TEXT, epoch INTEGER)`);
    service.prepare(`INSERT INTO fig_fence VALUES (?, '*', 'open', 1)`).run(mapping.capability);
    service.close();
    const copier = new RowCopier(mapping, { legacy, extracted }, LAG_MS);
    copier.copyAll();
    copiers.push(copier);
  }
  while (!copiers.every(({ idle }) => idle)) await delay(LAG_MS);
  return copiers;
}

function fileOf(system: System, variable: string): string {
  return (system.env[variable] ?? '').slice('file:'.length);
}
