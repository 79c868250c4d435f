import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Told } from './ledger.ts';
import { plan } from './request-plan.ts';
import type { Planned } from './request-plan.ts';

/** What the process that starts this one tells it. */
export interface ClientsOrder {
  readonly url: string;
  readonly perSecond: number;
  /** How long the rate takes to rise from nothing, in ms. */
  readonly rampMs: number;
  /** Where the ledger goes at the end, as JSON. */
  readonly ledgerFile: string;
}

const order = JSON.parse(process.argv[2] ?? '') as ClientsOrder;
const TICK_MS = 1;
const PATIENCE_MS = 30_000;
/** Enough that a held request never keeps another one waiting for a connection. */
const CONNECTIONS = 256;

// Not a signal for each request: thousands of them would live at a time, and this process must not
// take from those that it measures.
const pool = new Pool(order.url, {
  connections: CONNECTIONS,
  pipelining: 1,
  headersTimeout: PATIENCE_MS,
  bodyTimeout: PATIENCE_MS,
});
const ledger: Told[] = [];
/** The newest payment that each customer was told of: whoever asks for it must see it. */
const paid = new Map<string, string>();
const now = (): number => performance.timeOrigin + performance.now();

function requestOf({ kind, key, customer, sku, amount }: Planned): {
  method: 'GET' | 'POST';
  path: string;
  body: object | null;
} {
  if (kind === 'adjustment') {
    const body = { delta: amount, reason: key };
    return { method: 'POST', path: `/api/inventory/${sku}/adjustments`, body };
  }
  if (kind === 'payment') {
    const card = { currency: 'USD', method: 'card_ok' };
    const body = { orderId: key, customerId: customer, amount: 100 + Math.abs(amount), ...card };
    return { method: 'POST', path: '/api/payments', body };
  }
  const own = amount < 0 ? paid.get(customer) : undefined;
  const path = own === undefined ? `/api/inventory/${sku}` : `/api/payments/${own}`;
  return { method: 'GET', path, body: null };
}

async function send(planned: Planned, dueAt: number): Promise<void> {
  const { kind, key, customer, sku } = planned;
  const { method, path, body } = requestOf(planned);
  const told = { kind, key, sku, amount: planned.amount, dueAt };
  try {
    const answer = await pool.request({
      method,
      path,
      headers: {
        'x-customer-id': customer,
        ...(body ? { 'content-type': 'application/json', 'idempotency-key': key } : {}),
      },
      body: body && JSON.stringify(body),
    });
    const given = (await answer.body.json()) as { id?: string; code?: string };
    const well = answer.statusCode < 400;
    if (kind === 'payment' && well) paid.set(customer, String(given.id));
    const detail = well ? null : `${method} ${path}: ${given.code}`;
    ledger.push({ ...told, doneAt: now(), status: answer.statusCode, detail });
  } catch (error) {
    ledger.push({ ...told, doneAt: now(), status: 0, detail: String(error) });
  }
}

let going = true;
process.on('message', () => {
  going = false;
});
// Whoever started this process is gone.
process.once('disconnect', abandoned);

function abandoned(): never {
  process.exit(1);
}

/** When a request is due after the start, in ms: the rate rises evenly, then stays. */
function dueAfter(number: number): number {
  const perMs = order.perSecond / 1_000;
  const rising = (perMs * order.rampMs) / 2;
  return number < rising
    ? Math.sqrt((2 * number * order.rampMs) / perMs)
    : number / perMs + order.rampMs / 2;
}

/** Requests leave when they are due, whatever has become of those before them. */
async function run(): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const beganAt = now();
  for (let number = 0; going; await delay(TICK_MS)) {
    for (; ; number += 1) {
      const dueAt = beganAt + dueAfter(number);
      if (dueAt > now()) break;
      const sent = send(plan(number), dueAt).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
  }
  await Promise.all(underWay);
  await pool.close();
  await writeFile(order.ledgerFile, JSON.stringify(ledger));
  process.off('disconnect', abandoned);
  process.disconnect();
}

await run();
