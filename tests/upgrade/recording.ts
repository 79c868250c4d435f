import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../chassis/index.ts';
import { eventually, request } from '../support/index.ts';
import type { BuiltSystem } from './built-system.ts';
import type { Facts, Moment } from './recorded.ts';

type Known = Omit<Facts, 'dialect' | 'moment'>;

/** What is done to a system before it is stopped, and what its clients were told. */
export class Recording {
  readonly #system: BuiltSystem;
  readonly #open: (database: string) => Promise<Database>;
  readonly #orders: Record<string, { id: string; status: string }> = {};
  readonly #inFlight = new Set<string>();
  #keys = 0;
  readonly #units: Record<string, number> = {};

  constructor(system: BuiltSystem, open: (database: string) => Promise<Database>) {
    this.#system = system;
    this.#open = open;
  }

  async until(moment: Moment): Promise<Known> {
    await this.#system.ready();
    for (const { sku, onHand } of await this.#list<{ sku: string; onHand: number }>('inventory')) {
      this.#units[sku] = onHand;
    }
    for (const method of ['card_ok', 'card_declined', 'card_ok', 'card_slow'])
      await this.#order(method);
    await this.#system.fig('backfill', 'inventory');
    await this.#system.fig('backfill', 'payment');
    await this.#order('card_ok');
    await this.#cancel(await this.#order('card_ok'));
    await this.#adjust(3);
    await this.#system.fig('reconcile', 'inventory');
    const damaged = await this.#damage();
    if (moment === 'idle') await this.#moved();
    else await this.#caught(moment);
    return {
      orders: this.#orders,
      inFlight: [...this.#inFlight],
      units: this.#units,
      damaged,
    };
  }

  async #moved(): Promise<void> {
    await this.#system.fig('switch', 'inventory', '--yes');
    await this.#order('card_ok');
    await this.#adjust(-1);
    await this.#system.stop();
  }

  /** Between two commits that follow one another: tried until the engine is caught there. */
  async #caught(state: 'closed' | 'ceded'): Promise<void> {
    const [monolith, inventory] = [await this.#open('monolith'), await this.#open('inventory')];
    const isThere = async (): Promise<boolean> => {
      if ((await fenceOf(monolith)) !== state || (await fenceOf(inventory)) !== 'closed')
        return false;
      return state === 'ceded' || (await appliedBy(inventory)) < (await positionOf(monolith));
    };
    try {
      for (;;) {
        const orders = this.#keepOrdering();
        const switched = this.#system.fig('switch', 'inventory', '--yes').then(
          () => true,
          () => false,
        );
        let over = false;
        void switched.then(() => (over = true));
        while (!over && (await fenceOf(monolith)) !== state) await immediate();
        this.#system.signal('engine', 'SIGSTOP');
        await delay(50);
        if (await isThere()) {
          await orders.enough();
          await this.#system.kill();
          return;
        }
        this.#system.signal('engine', 'SIGCONT');
        const moved = await switched;
        await orders.stop();
        if (moved) await this.#system.fig('reverse', 'inventory', '--yes');
      }
    } finally {
      await Promise.all([monolith.close(), inventory.close()]);
    }
  }

  /** Orders all the time; those that nobody was told of when the system died are on the way. */
  #keepOrdering(): { stop(): Promise<void>; enough(): Promise<void> } {
    let stopped = false;
    const loops = ['card_ok', 'card_slow', 'card_declined'].map(async (method) => {
      while (!stopped) {
        const key = `traffic-${(this.#keys += 1)}`;
        this.#inFlight.add(key);
        const answer = await this.#post('/api/orders', bodyOf(method), key).catch(() => undefined);
        if (answer === undefined) return;
        if (answer.status < 500) this.#inFlight.delete(key);
        await delay(100);
      }
    });
    return {
      async stop() {
        stopped = true;
        await Promise.all(loops);
      },
      // Each of them has one under way that can't go on.
      enough: () => delay(1_000),
    };
  }

  async #order(method: string): Promise<string> {
    const key = `order-${Object.keys(this.#orders).length + 1}`;
    const { body } = await this.#post('/api/orders', bodyOf(method), key);
    const told = body as { readonly id?: string; readonly orderId?: string };
    const id = told.id ?? told.orderId ?? '';
    await this.#note(key, id);
    return key;
  }

  async #cancel(key: string): Promise<void> {
    const { id } = this.#orders[key] ?? { id: '' };
    await this.#post(`/api/orders/${id}/cancel`, undefined, `cancel-${key}`);
    await this.#note(key, id);
  }

  async #note(key: string, id: string): Promise<void> {
    const { body } = await request('GET', `${this.#system.url('facade')}/api/orders/${id}`);
    const { status } = body as { readonly status: string };
    this.#orders[key] = { id, status };
  }

  async #adjust(delta: number): Promise<void> {
    const [sku = ''] = Object.keys(this.#units);
    const path = `/api/inventory/${sku}/adjustments`;
    const key = `adjust-${delta}`;
    const { status } = await this.#post(path, { delta, reason: 'counted' }, key);
    if (status !== 201) throw new Error(`the adjustment was answered ${status}`);
    this.#units[sku] = (this.#units[sku] ?? 0) + delta;
  }

  #post(path: string, body: object | undefined, key: string): ReturnType<typeof request> {
    return request('POST', `${this.#system.url('facade')}${path}`, {
      ...(body ? { body } : {}),
      headers: { 'idempotency-key': key, 'x-customer-id': 'CORK' },
      timeoutMs: 30_000,
    });
  }

  async #list<T>(what: string): Promise<readonly T[]> {
    const { body } = await request('GET', `${this.#system.url('facade')}/api/${what}?limit=100`);
    return (body as { readonly items: readonly T[] }).items;
  }

  /** By hand: a payment whose change can't be carried, and waits for somebody to mend it. */
  async #damage(): Promise<Facts['damaged']> {
    const monolith = await this.#open('monolith');
    try {
      const row = (await monolith.read('PAY_TXN').orderBy('PAY_NO').first()) as {
        PAY_NO: string;
        CRT_TS: string;
      };
      await monolith.transaction(async (trx) => {
        await trx('PAY_TXN').where({ PAY_NO: row.PAY_NO }).update({ CRT_TS: 'long ago' });
      });
      await eventually(async () => {
        const { parked } = (await this.#system.fig('parked', 'list')) as { parked: unknown[] };
        return parked.length === 1;
      });
      return { payment: row.PAY_NO, createdAt: row.CRT_TS };
    } finally {
      await monolith.close();
    }
  }
}

function bodyOf(paymentMethod: string): object {
  return { customerId: 'CORK', items: [{ sku: 'SHIP-001', quantity: 1 }], paymentMethod };
}

async function fenceOf(database: Database): Promise<string> {
  const row = (await database
    .read('fig_fence')
    .where({ capability: 'inventory', key: '*' })
    .first('state')) as { readonly state: string };
  return row.state;
}

/** Of the newest change; on PostgreSQL some may have none yet. */
async function positionOf(monolith: Database): Promise<number> {
  if (!monolith.url.startsWith('file:')) {
    const captured = (await monolith.read('fig_capture_inventory').first()) as object | undefined;
    if (captured !== undefined) return Infinity;
  }
  const row = (await monolith.read('fig_feed_inventory').max({ newest: 'position' }).first()) as {
    newest: number;
  };
  return row.newest;
}

async function appliedBy(inventory: Database): Promise<number> {
  const row = (await inventory
    .read('fig_applied')
    .where({ capability: 'inventory' })
    .max({ newest: 'position' })
    .first()) as { newest: number };
  return row.newest;
}
