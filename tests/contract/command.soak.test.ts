import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { setFence, temporaryDatabase, withTempDir } from '../support/index.ts';
import { buildApp as buildInventory } from '../../extracted/inventory/index.ts';
import { createLog, LOOPBACK_ONLY } from '../../chassis/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { bothTargets } from './both-targets.ts';
import { FAULTS } from './faults.ts';
import { damagingProxy, faulty } from './faulty.ts';
import {
  contractCommand,
  createResources,
  inventoryTarget,
  serve,
  SIDES,
} from '../../contract-check/index.ts';

/** Runs the command; gives its exit code and all that it printed. */
async function contract(
  args: readonly string[],
  sides: Parameters<typeof contractCommand>[1] = SIDES,
): Promise<[code: number, text: string]> {
  const printed: string[] = [];
  const code = await contractCommand(args, sides, (text) => printed.push(text));
  return [code, printed.join('')];
}

const [renamed] = FAULTS.inventory;
if (!renamed) throw new Error('there are no faults');

describe('npm run contract', () => {
  it('exits 1 and shows path and both values of a difference', async () => {
    const inventory = { ...SIDES.inventory, new: faulty(SIDES.inventory.new, renamed) };
    const [code, text] = await contract(['inventory'], { ...SIDES, inventory });
    expect(code).toBe(1);
    expect(text).toContain('GET /api/inventory/CT-05  body.onHand\n');
    expect(text).toContain('old 42\n         new "<absent>"');
  });

  it('exits 0 when both sides answer alike, and can say so as JSON', async () => {
    const [code, text] = await contract(['payment', '--json']);
    const { payment } = JSON.parse(text) as { payment: { ok: boolean; cases: unknown[] } };
    expect([code, payment.ok]).toEqual([0, true]);
    expect(payment.cases.length).toBeGreaterThan(10);
  });

  it('explains itself', async () => {
    const [code, text] = await contract(['--help']);
    expect(code).toBe(0);
    for (const name of ['--target', '--world', '--json', 'Exit:']) expect(text).toContain(name);
  });

  it('writes what a running system needs for its loader', () =>
    withTempDir(async (directory) => {
      const world = join(directory, 'world');
      expect((await contract(['--world', world]))[0]).toBe(0);
      expect((await readdir(world)).toSorted()).toEqual(['customers.csv', 'products.csv']);
      expect(await readFile(join(world, 'products.csv'), 'utf8')).toContain(
        'CT-01,Contract test article 1,2.50,USD,100\n',
      );
    }));
});

describe('npm run contract -- --target', () => {
  const { resources, urls } = bothTargets();
  const log = createLog('contract', 'silent');

  async function emptyInventory(): Promise<{ url: string; fence: () => Promise<void> }> {
    const database = resources.keep(await temporaryDatabase(inventoryMigrations), (opened) =>
      opened.close(),
    );
    await setFence(database, 'inventory', 'open');
    return {
      url: await serve(resources, buildInventory({ access: LOOPBACK_ONLY, database, log })),
      fence: async () => {
        await database.transaction(async (trx) => {
          await trx('stock_levels').insert({ sku: 'CT-01', on_hand: 1, updated_at: 0 });
          await trx('stock_holds').insert({ sku: 'CT-01', reserved: 0 });
        });
        await setFence(database, 'inventory', 'ceded', 2);
      },
    };
  }

  it('compares two servers that run, in what both of them serve', async () => {
    const [code, text] = await contract([
      '--target',
      urls.monolith,
      '--target',
      `${urls.inventory}/`,
    ]);
    expect(text).toContain(`inventory: ${urls.monolith} (old) and ${urls.inventory} (new)`);
    expect(text).toContain('0 differences, 0 broken promises');
    expect(text).not.toContain('payment: ');
    expect(code).toBe(0);
  });

  it('compares one with a monolith of its own, and finds a fault', async () => {
    const url = await serve(resources, damagingProxy(urls.inventory, renamed.damage));
    const [code, text] = await contract(['inventory', '--target', url]);
    expect(text).toContain(`inventory: monolith (old) and ${url} (new)`);
    expect(text).toContain('body.on_hand\n');
    expect(code).toBe(1);
  });

  it('says what stands in the way: 2 for wrong usage, 3 where there is no verdict', async () => {
    const gone = createResources();
    const { baseUrl: dead } = await inventoryTarget(gone);
    await gone.close();
    const empty = await emptyInventory();
    const refusals: [expected: number, args: string[], says: string][] = [
      [2, ['shipping'], 'shipping is none of inventory, payment'],
      [
        2,
        ['--target', 'localhost'],
        'localhost is neither an upstream of the configuration nor the base URL of a server',
      ],
      [2, ['--target', `${urls.monolith}/api`], 'give a URL without a path'],
      [3, ['--target', dead], `${dead}/api/inventory?limit=1 does not answer: ECONNREFUSED`],
      [3, ['payment', '--target', urls.inventory], `${urls.inventory} does not serve payment`],
      [3, ['--target', empty.url], `${empty.url} does not hold what the cases need`],
      [2, ['--target', dead, '--target', dead, '--target', dead], 'once or twice'],
      [2, ['--targets'], "unknown option '--targets'"],
      [3, ['payment', '--json', '/nowhere/at/all.json'], 'ENOENT'],
    ];
    for (const [expected, args, says] of refusals) {
      const [code, text] = await contract(args);
      expect(text).toContain(says);
      expect([args, code]).toEqual([args, expected]);
    }
    await empty.fence();
    const [code, text] = await contract(['--target', empty.url]);
    expect(text).toContain(`${empty.url} does not own inventory, its fence is ceded`);
    expect(code).toBe(3);
  });
});
