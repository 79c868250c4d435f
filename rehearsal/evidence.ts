import { openDatabase } from '../chassis/index.ts';
import type { Knex } from '../chassis/index.ts';
import type { Charge, Evidence, StoredOrder } from './checks.ts';
import { BELIEVED } from './callers.ts';
import type { Callers } from './callers.ts';
import type { Customer } from './dataset.ts';

type Side = Evidence['sides'][number];
type Level = { sku: string; onHand: number; reserved: number };

function sideOf(name: string, levels: readonly Level[], orders: readonly string[]): Side {
  const reservationsByOrder = new Map<string, number>();
  for (const order of orders) {
    reservationsByOrder.set(order, (reservationsByOrder.get(order) ?? 0) + 1);
  }
  return {
    name,
    stock: new Map(levels.map(({ sku, onHand, reserved }) => [sku, { onHand, reserved }])),
    reservationsByOrder,
  };
}

async function reading<T>(url: string, work: (read: Knex) => Promise<T>): Promise<T> {
  const database = await openDatabase(url);
  try {
    return await work(database.read);
  } finally {
    await database.close();
  }
}

function legacySide(url: string): Promise<Side> {
  return reading(url, async (read) => {
    const levels = await read('INV_STOCK').select({
      sku: 'SKU_CD',
      onHand: 'QTY_OH',
      reserved: 'QTY_RSV',
    });
    const orders = (await read('INV_RSV').pluck('ORD_NO')) as string[];
    return sideOf('monolith', levels as Level[], orders);
  });
}

function extractedSide(url: string): Promise<Side> {
  return reading(url, async (read) => {
    const levels = await read('stock_levels')
      .leftJoin('stock_holds', 'stock_holds.sku', 'stock_levels.sku')
      .select({ sku: 'stock_levels.sku', onHand: 'on_hand', reserved: 'reserved' });
    const orders = (await read('reservations').pluck('order_id')) as string[];
    return sideOf('inventory service', levels as Level[], orders);
  });
}

async function getJson<T>(url: string, headers: Callers['staff'] = {}): Promise<T> {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`GET ${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}

interface ProviderLedger {
  readonly charges: readonly Omit<Charge, 'refunded'>[];
  readonly refunds: readonly { readonly paymentId: string; readonly amount: number }[];
}

async function chargesOf(providerUrl: string): Promise<Charge[]> {
  const { charges, refunds } = await getJson<ProviderLedger>(`${providerUrl}/ledger`);
  const refunded = new Map<string, number>();
  for (const { paymentId, amount } of refunds) {
    refunded.set(paymentId, (refunded.get(paymentId) ?? 0) + amount);
  }
  return charges.map((charge) => ({ ...charge, refunded: refunded.get(charge.paymentId) ?? 0 }));
}

/** All orders, as the system itself lists them. */
export async function listOrders(
  facadeUrl: string,
  customers: readonly Customer[],
  callers: Callers,
): Promise<StoredOrder[]> {
  const orders: StoredOrder[] = [];
  for (const { id } of customers) {
    let cursor: string | null = null;
    do {
      const page: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const answer: { items: StoredOrder[]; nextCursor: string | null } = await getJson(
        `${facadeUrl}/api/orders?customerId=${encodeURIComponent(id)}&limit=200${page}`,
        callers.staff,
      );
      orders.push(...answer.items);
      cursor = answer.nextCursor;
    } while (cursor !== null);
  }
  return orders;
}

interface Sources {
  readonly facadeUrl: string;
  readonly providerUrl: string;
  readonly monolithDatabase: string;
  readonly inventoryDatabase: string;
  readonly customers: readonly Customer[];
  /** How callers say who they are; by a plain header when absent. */
  readonly callers?: Callers;
}

/** Collects what the system holds: over HTTP where it shows it, from the databases otherwise. */
export async function collectEvidence(sources: Sources): Promise<Evidence> {
  const [charges, orders, legacy, extracted] = await Promise.all([
    chargesOf(sources.providerUrl),
    listOrders(sources.facadeUrl, sources.customers, sources.callers ?? BELIEVED),
    legacySide(sources.monolithDatabase),
    extractedSide(sources.inventoryDatabase),
  ]);
  return { charges, orders, sides: [extracted, legacy] };
}
