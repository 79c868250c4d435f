import { setTimeout as delay } from 'node:timers/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { sqliteFile } from '../../chassis/index.ts';
import {
  checkInvariants,
  collectEvidence,
  countMismatches,
  createCustomers,
  createLedger,
  createOperator,
  createRandom,
  createShop,
  generateDataset,
  startTraffic,
  writeImport,
} from '../../rehearsal/index.ts';
import { asOperator, freePort, startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, PORT_VARIABLES, showOnFailure, withTempDir } from '../support/index.ts';

const CUTS = 6;
/** How long after the beginning of a handover the power may fail. */
const LATEST_MS = 25;

interface Standing {
  readonly capabilities: readonly {
    readonly capability: 'inventory' | 'payment';
    readonly owner: string | null;
    readonly moving: unknown;
    readonly fences: Readonly<Record<'legacy' | 'extracted', { readonly state: string }>>;
  }[];
}

async function standing(system: System): Promise<Standing['capabilities']> {
  const answer = await fetch(`${system.urls['engine']}/status`, { headers: asOperator(system) });
  return ((await answer.json()) as Standing).capabilities;
}

/** Resolves when no handover is under way; there must be one owner of everything then. */
async function atRest(system: System): Promise<Standing['capabilities']> {
  return eventually(
    async () => {
      const capabilities = await standing(system);
      return capabilities.every(({ moving, owner }) => !moving && owner !== null) && capabilities;
    },
    { timeoutMs: 20_000 },
  );
}

/** Asks for a handover until one is done: under orders a gate may refuse it for a moment. */
async function move(system: System, capability: string, to: string): Promise<void> {
  let done = false;
  while (!done) {
    const answer = await fetch(`${system.urls['engine']}/handovers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...asOperator(system) },
      body: JSON.stringify({ capability, to }),
    });
    done = answer.ok;
  }
}

/** Resolves when a handover of the capability is on record, and has no outcome yet. */
async function begun(url: string | undefined, capability: string): Promise<void> {
  const database = new Database(sqliteFile(url ?? ''), { readonly: true });
  try {
    const unfinished = database.prepare(
      'SELECT count(*) FROM fig_handover WHERE capability = ? AND outcome IS NULL',
    );
    await eventually(() => Number(unfinished.pluck().get(capability)) > 0, { intervalMs: 1 });
  } finally {
    database.close();
  }
}

describe('a machine that loses power in the middle of handovers', () => {
  it('comes back, finishes or undoes them, says which, and has lost nothing', async () => {
    const random = createRandom(3);
    const dataset = generateDataset(3, {
      products: 20,
      customers: 10,
      orders: 5_000,
      abundance: 20,
    });
    await withTempDir(async (directory) => {
      const ports = await Promise.all(
        PORT_VARIABLES.map(async (variable) => [variable, await freePort()]),
      );
      const env = {
        ...withoutSystem(process.env),
        FIG_CONTRACT: 'off',
        ...Object.fromEntries(ports),
      };
      const data = join(directory, 'import');
      await mkdir(data);
      await writeImport(dataset, data);
      const start = async (): Promise<System> => {
        const dataDir = join(directory, 'data');
        return showOnFailure(await startSystem({ dataDir, ports: 'default', env, load: { data } }));
      };

      let system = await start();
      const ledger = createLedger();
      const shop = createShop(system.urls['facade'] ?? '', ledger, 120_000);
      const fig = createOperator({ ...env, ...system.env });
      try {
        for (const capability of ['inventory', 'payment']) {
          expect(await fig('backfill', capability)).toMatchObject({ code: 0 });
        }
        const customers = createCustomers(dataset, shop, ledger);
        const traffic = startTraffic(dataset.orders, customers, { concurrency: 4 });
        const said: string[] = [];
        for (let cut = 0; cut < CUTS; cut += 1) {
          const capability = random.pick(['inventory', 'payment'] as const);
          expect(await countMismatches(fig, capability)).toBe(0);
          const before = (await atRest(system)).find((one) => one.capability === capability);
          const to = before?.owner === 'legacy' ? 'extracted' : 'legacy';
          const moving = move(system, capability, to).catch(() => undefined);
          const source = to === 'extracted' ? 'monolith' : capability;
          await begun(system.env[`${source.toUpperCase()}_DATABASE_URL`], capability);
          // The moment is the seed's: somewhere between the first step and the last.
          await delay(random.between(0, LATEST_MS));
          await system.killAll();
          await moving;
          system = await start();
          for (const { fences } of await atRest(system)) {
            const states = Object.values(fences).map(({ state }) => state);
            expect(states.filter((state) => state === 'open')).toHaveLength(1);
          }
          said.push(
            ...(system.logTail('engine', 200).match(/an interrupted handover was \w+/g) ?? []),
          );
        }
        // Some cuts fall before the first step or after the last one; not all of them do.
        expect(said.length).toBeGreaterThan(1);
        traffic.stop();
        await traffic.done;
        for (const capability of ['inventory', 'payment']) {
          expect(await countMismatches(fig, capability)).toBe(0);
        }
        const evidence = await collectEvidence({
          facadeUrl: system.urls['facade'] ?? '',
          providerUrl: system.urls['provider'] ?? '',
          monolithDatabase: system.env['MONOLITH_DATABASE_URL'] ?? '',
          inventoryDatabase: system.env['INVENTORY_DATABASE_URL'] ?? '',
          customers: dataset.customers,
        });
        const broken = checkInvariants(dataset, ledger, evidence).filter(({ ok }) => !ok);
        expect(broken).toEqual([]);
        expect(ledger.stale).toEqual([]);
        expect([...ledger.told.values()].filter(({ kind }) => kind === 'unknown')).toEqual([]);
      } finally {
        await shop.close();
        await system.stop();
      }
    });
  }, 600_000);
});
