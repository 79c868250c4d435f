import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { expect } from '@jest/globals';
import { Client } from 'pg';
import { openDatabase } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { createOperator } from '../../rehearsal/index.ts';
import type { Operator } from '../../rehearsal/index.ts';
import { withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import {
  eventually,
  request,
  temporaryPostgresDatabase,
  withSystem,
  withTempDir,
} from '../support/index.ts';
import { DATABASES, FIXTURES, variableOf } from './recorded.ts';
import type { Facts } from './recorded.ts';

/** All data that was recorded, as paths below `fixtures`. */
export const recorded = readdirSync(FIXTURES).flatMap((build) =>
  readdirSync(join(FIXTURES, build)).map((moment) => join(build, moment)),
);

interface Order {
  readonly id: string;
  readonly status: string;
  readonly paymentId: string | null;
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
}

/** Starts this build on recorded data, and holds what becomes of it against what clients were told. */
export function carriesOn(fixture: string): Promise<void> {
  return withTempDir(async (parent) => {
    const dataDir = join(parent, 'data');
    mkdirSync(dataDir);
    const unpacked = await unpack(join(FIXTURES, fixture), dataDir);
    try {
      const { variables } = unpacked;
      await withSystem({ dataDir, load: 'nothing', variables }, (system) =>
        new Opened(system, factsOf(fixture)).judge(),
      );
    } finally {
      await unpacked.drop();
    }
  });
}

function factsOf(fixture: string): Facts {
  return JSON.parse(readFileSync(join(FIXTURES, fixture, 'facts.json'), 'utf8')) as Facts;
}

interface Unpacked {
  readonly variables: Readonly<Record<string, string>>;
  drop(): Promise<void>;
}

async function unpack(folder: string, dataDir: string): Promise<Unpacked> {
  const read = (file: string): Buffer =>
    brotliDecompressSync(readFileSync(join(folder, `${file}.br`)));
  writeFileSync(join(dataDir, 'flags.json'), read('flags.json'));
  const names = readdirSync(folder);
  const variables: Record<string, string> = {};
  const places: { drop(): Promise<void> }[] = [];
  for (const database of DATABASES) {
    if (names.includes(`${database}.db.br`)) {
      writeFileSync(join(dataDir, `${database}.db`), read(`${database}.db`));
      continue;
    }
    const place = await temporaryPostgresDatabase();
    places.push(place);
    variables[variableOf(database)] = place.url;
    await restore(place.url, read(`${database}.sql`).toString());
  }
  return {
    variables,
    drop: async () => {
      for (const place of places) await place.drop();
    },
  };
}

async function restore(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Recorded data in the hands of this build. */
class Opened {
  readonly #system: System;
  readonly #facts: Facts;
  readonly #fig: Operator;

  constructor(system: System, facts: Facts) {
    this.#system = system;
    this.#facts = facts;
    this.#fig = createOperator({
      ...withoutSystem(process.env),
      ...system.env,
      FIG_CONTRACT: 'off',
    });
  }

  async judge(): Promise<void> {
    await this.#isCoherent();
    await this.#ordersAreFinished();
    await this.#mendDamage();
    await this.#sidesAreEqual();
    await this.#nothingIsLost();
    await this.#movesAgain();
    await this.#sidesAreEqual();
    await this.#nothingIsLost();
  }

  /** The handover has ended one way or the other, and one side owns everything. */
  async #isCoherent(): Promise<void> {
    const owner = this.#facts.moment === 'closed' ? /^(legacy|extracted)$/ : /^extracted$/;
    await eventually(
      async () => {
        const { output } = await this.#fig('status');
        expect(output).toMatchObject({
          source: 'engine',
          capabilities: [
            {
              capability: 'inventory',
              owner: expect.stringMatching(owner),
              moving: null,
              standing: { as: 'leader' },
              lastHandover: { outcome: expect.stringMatching(/^(done|aborted)$/) },
            },
            { capability: 'payment', owner: 'legacy', standing: { as: 'leader' } },
          ],
        });
      },
      { timeoutMs: 60_000, intervalMs: 500 },
    );
  }

  /** Also those that were on the way: their sagas go on. */
  async #ordersAreFinished(): Promise<void> {
    await eventually(
      async () => {
        const open = (await this.#orders()).filter(({ status }) =>
          ['pending', 'cancelling'].includes(status),
        );
        expect(open).toEqual([]);
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
  }

  async #mendDamage(): Promise<void> {
    const { payment, createdAt } = this.#facts.damaged;
    const { output } = await this.#fig('parked', 'list');
    expect(output).toMatchObject({ parked: [{ capability: 'payment', root: expect.any(String) }] });
    await this.#with('monolith', (monolith) =>
      monolith.transaction(async (trx) => {
        await trx('PAY_TXN').where({ PAY_NO: payment }).update({ CRT_TS: createdAt });
      }),
    );
    expect(await this.#fig('parked', 'retry', 'payment')).toMatchObject({ code: 0 });
  }

  async #sidesAreEqual(): Promise<void> {
    for (const capability of ['inventory', 'payment']) {
      expect(await this.#fig('reconcile', capability)).toMatchObject({
        code: 0,
        output: { clean: true, rows: [] },
      });
    }
  }

  /** Every order that a client was told of is there; every unit and every charge is accounted for. */
  async #nothingIsLost(): Promise<void> {
    const orders = await this.#orders();
    const status = new Map(orders.map((order) => [order.id, order.status]));
    for (const [key, told] of Object.entries(this.#facts.orders)) {
      expect(`${key} ${status.get(told.id)}`).toBe(`${key} ${told.status}`);
    }
    const confirmed = orders.filter((order) => order.status === 'confirmed');
    const left: Record<string, number> = { ...this.#facts.units };
    for (const { sku, quantity } of confirmed.flatMap(({ items }) => items)) {
      left[sku] = (left[sku] ?? 0) - quantity;
    }
    const stock = await this.#all<{ sku: string; onHand: number; reserved: number }>('inventory?');
    expect(Object.fromEntries(stock.map(({ sku, onHand }) => [sku, onHand]))).toEqual(left);
    expect(stock.filter(({ reserved }) => reserved !== 0)).toEqual([]);
    const { body } = await request('GET', `${this.#system.urls['provider']}/ledger`);
    const { charges, refunds } = body as {
      readonly charges: readonly { readonly paymentId: string; readonly status: string }[];
      readonly refunds: readonly { readonly paymentId: string }[];
    };
    const returned = new Set(refunds.map(({ paymentId }) => paymentId));
    const kept = charges.filter(
      (each) => each.status === 'captured' && !returned.has(each.paymentId),
    );
    expect(new Set(kept.map(({ paymentId }) => paymentId))).toEqual(
      new Set(confirmed.map(({ paymentId }) => paymentId)),
    );
    expect(kept.length).toBe(confirmed.length);
  }

  async #movesAgain(): Promise<void> {
    const { output } = await this.#fig('status', 'inventory');
    const { capabilities } = output as {
      readonly capabilities: readonly { readonly owner: string }[];
    };
    const verb = capabilities[0]?.owner === 'legacy' ? 'switch' : 'reverse';
    expect(await this.#fig(verb, 'inventory', '--yes')).toMatchObject({ code: 0 });
    const order = {
      customerId: 'CORK',
      items: [{ sku: 'SHIP-002', quantity: 1 }],
      paymentMethod: 'card_ok',
    };
    const headers = { 'idempotency-key': 'after-the-upgrade' };
    const place = (): ReturnType<typeof request> =>
      request('POST', `${this.#system.urls['facade']}/api/orders`, { body: order, headers });
    const placed = await place();
    expect(placed.status).toBe(201);
    expect((await place()).body).toEqual(placed.body);
  }

  #orders(): Promise<readonly Order[]> {
    return this.#all<Order>('orders?customerId=CORK');
  }

  async #all<T>(what: string): Promise<readonly T[]> {
    const found: T[] = [];
    let cursor: string | null = null;
    do {
      const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const url = `${this.#system.urls['facade']}/api/${what}&limit=100${after}`;
      const { status, body } = await request('GET', url);
      expect(status).toBe(200);
      const page = body as { readonly items: readonly T[]; readonly nextCursor: string | null };
      found.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return found;
  }

  async #with<T>(name: string, work: (database: Database) => Promise<T>): Promise<T> {
    const database = await openDatabase(this.#system.env[variableOf(name)] ?? '');
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }
}
