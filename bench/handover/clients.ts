import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { wentWell } from './ledger.ts';
import type { RecordedRequest } from './ledger.ts';
import { plan } from './request-plan.ts';
import type { Planned } from './request-plan.ts';

/** What the process that starts this one tells it. */
export interface ClientsOrder {
  readonly url: string;
  /** Where the ledger goes at the end, as JSON. */
  readonly ledgerFile: string;
}

/**
 * `saturate`: so many clients each send their next request when the last one was answered, for a while.
 * `pace`: requests leave at a steady rate, whatever becomes of them, until `stop`.
 */
export type ClientsCommand =
  | { readonly type: 'saturate'; readonly clients: number; readonly ms: number }
  | { readonly type: 'pace'; readonly perSecond: number; readonly rampMs: number }
  | { readonly type: 'stop' };

/** What this process says when a `saturate` is over: how many were answered well, a second. */
export interface Saturated {
  readonly perSecond: number;
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
const ledger: RecordedRequest[] = [];
/** The newest payment that each customer was told of: whoever asks for it must see it. */
const paid = new Map<string, string>();
const now = (): number => performance.timeOrigin + performance.now();
/** The number of the next request: none is sent twice. */
let next = 0;

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

/** Sends the next request. @returns what its client was told */
async function send(dueAt: number): Promise<RecordedRequest> {
  const planned = plan(next++);
  const told = { ...(await answerTo(planned)), dueAt };
  ledger.push(told);
  return told;
}

async function answerTo(planned: Planned): Promise<Omit<RecordedRequest, 'dueAt'>> {
  const { kind, key, customer, sku, amount } = planned;
  const { method, path, body } = requestOf(planned);
  const told = { kind, key, sku, amount };
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
    return { ...told, doneAt: now(), status: answer.statusCode, detail };
  } catch (error) {
    return { ...told, doneAt: now(), status: 0, detail: String(error) };
  }
}

async function saturate(clients: number, ms: number): Promise<Saturated> {
  const until = now() + ms;
  let answered = 0;
  const client = async (): Promise<void> => {
    while (now() < until) {
      const told = await send(now());
      if (wentWell(told) && told.doneAt <= until) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { perSecond: (answered * 1_000) / ms };
}

/** When a request is due after the start, in ms: the rate rises evenly, then stays. */
function dueAfter(number: number, perSecond: number, rampMs: number): number {
  const perMs = perSecond / 1_000;
  const rising = (perMs * rampMs) / 2;
  return number < rising ? Math.sqrt((2 * number * rampMs) / perMs) : number / perMs + rampMs / 2;
}

let going = true;

/** Requests leave when they are due, whatever has become of those before them. */
async function pace(perSecond: number, rampMs: number): Promise<void> {
  const underWay = new Set<Promise<unknown>>();
  const beganAt = now();
  for (let number = 0; going; await delay(TICK_MS)) {
    for (; ; number += 1) {
      const dueAt = beganAt + dueAfter(number, perSecond, rampMs);
      if (dueAt > now()) break;
      const sent = send(dueAt).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
  }
  await Promise.all(underWay);
}

let pacing: Promise<void> = Promise.resolve();

async function obey(command: ClientsCommand): Promise<void> {
  if (command.type === 'saturate') {
    process.send?.(await saturate(command.clients, command.ms));
  } else if (command.type === 'pace') {
    pacing = pace(command.perSecond, command.rampMs);
  } else {
    going = false;
    await pacing;
    await pool.close();
    await writeFile(order.ledgerFile, JSON.stringify(ledger));
    process.off('disconnect', abandoned);
    process.disconnect();
  }
}

process.on('message', (command: ClientsCommand) => void obey(command));
// The bench that started this process is gone.
process.once('disconnect', abandoned);

function abandoned(): never {
  process.exit(1);
}
