import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../chassis/index.ts';
import { inventoryMapping } from '../../migrations/inventory/mapping.ts';
import { paymentMapping } from '../../migrations/payment/mapping.ts';
import { setFlags } from '../../routing/index.ts';
import type { System } from '../../system/index.ts';
import type { Contestant } from './perform.ts';
import { RowCopier } from './row-copier.ts';

/** How long a row takes to the other side. */
export const LAG_MS = 100;

/** What there is to see of a flip: when it is over, both databases say the same. */
export interface Flipped {
  readonly databasesEqual: boolean;
}

/**
 * Ownership moved by turning the flag alone: no hold, no fence, no waiting for what is on its way.
 * The facade, the applications and the load are the same as for the fenced handover.
 */
export function naiveFlip(): Contestant<Flipped> {
  const copiers: RowCopier[] = [];
  return {
    name: 'naive',
    variables: { FIG_CONFIG: fileURLToPath(new URL('naive-config.js', import.meta.url)) },
    async prepare(system) {
      for (const mapping of [inventoryMapping, paymentMapping]) {
        const legacy = system.env['MONOLITH_DATABASE_URL'] ?? '';
        const service = `${mapping.capability.toUpperCase()}_DATABASE_URL`;
        const extracted = system.env[service] ?? '';
        await withoutFence(extracted, mapping.capability);
        copiers.push(await RowCopier.start(mapping, { legacy, extracted }, LAG_MS));
      }
      await allIdle(copiers);
    },
    move: flip,
    level: () => allIdle(copiers),
    async tell() {
      const equal = await Promise.all(copiers.map((copier) => copier.equal()));
      for (const copier of copiers) await copier.close();
      return { databasesEqual: equal.every(Boolean) };
    },
  };
}

function flip(system: System, number: number): Promise<void> {
  const capability = number % 2 === 0 ? 'inventory' : 'payment';
  const share = number % 4 < 2 ? 100 : 0;
  const flags = { [`${capability}.writes`]: share, [`${capability}.reads`]: share };
  return setFlags(system.env['FIG_FLAGS_FILE'] ?? '', flags);
}

async function allIdle(copiers: readonly RowCopier[]): Promise<void> {
  for (const copier of copiers) {
    while (!(await copier.idle())) await delay(LAG_MS);
  }
}

/** Lets a service take writes at any time. */
async function withoutFence(url: string, capability: string): Promise<void> {
  const database = await openDatabase(url);
  try {
    await database.transaction(async (trx) => {
      await trx.schema.createTable('fig_fence', (t) => {
        t.text('capability');
        t.text('key');
        t.text('state');
        t.integer('epoch');
      });
      await trx('fig_fence').insert({ capability, key: '*', state: 'open', epoch: 1 });
    });
  } finally {
    await database.close();
  }
}
