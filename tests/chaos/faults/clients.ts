import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { eventually } from '../../support/index.ts';
import type { FaultyShop } from './faulty-shop.ts';

/** What a client asks for. */
export const ROUTES = [
  'orders',
  'stock',
  'stock write',
  'payment',
  'payment write',
  'strange token',
] as const;
export type Route = (typeof ROUTES)[number];

/** One request, as its client saw it. */
export interface Seen {
  readonly route: Route;
  /** When it was sent, by `performance.now()`, and how long its client waited. */
  readonly from: number;
  readonly ms: number;
  /** A status, with a problem's code where it has one; else `cut`, `no answer` or `nothing for 10 s`. */
  readonly what: string;
}

/** A write that its client sent under a key of its own. */
export interface KeyedWrite {
  readonly path: string;
  readonly key: string;
  readonly body: object;
  readonly customer: string;
}

/** Clients that go on, one request after the other, until they are stopped. */
export interface Clients {
  readonly seen: readonly Seen[];
  /** Writes that were answered as done, or may have been. */
  readonly written: ReadonlySet<KeyedWrite>;
  /** Writes whose clients were told that nothing has happened. */
  readonly refused: ReadonlySet<KeyedWrite>;
  /** When each request was sent that has no answer yet. */
  readonly underWay: ReadonlySet<number>;
  /** What a client was shown that its own writes contradict. */
  readonly stale: readonly string[];
  /** Waits until every route has been answered some times. */
  warm(): Promise<void>;
  /** Sends each write of unknown outcome again, under its key, until it is answered. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** Each has a customer and an SKU of its own, so that it knows what it must be shown. */
const CUSTOMERS = ['CORK', 'BREST'] as const;
const SKUS = ['SHIP-001', 'SHIP-002'] as const;
/** Between two requests of a client. */
const PAUSE_MS = 10;
const STRANGER_MS = 40;
const PATIENCE_MS = 10_000;
const WARM = 10;
const DONE = '201';
/** After a failure, the first delivery may still be under way. */
const UNDER_WAY = '409 request_in_flight';
/** What the facade says of a request that it has sent to no server. */
const NOT_DONE = 'nothing has happened';

interface Answer {
  readonly what: string;
  readonly body: Content;
}

/** Of the answers to all of these requests, what their clients look at. */
interface Content {
  readonly id?: string;
  readonly onHand?: number;
  readonly code?: string;
  readonly detail?: string;
}

export async function startClients(shop: FaultyShop): Promise<Clients> {
  const seen: Seen[] = [];
  const written = new Set<KeyedWrite>();
  const refused = new Set<KeyedWrite>();
  const underWay = new Set<number>();
  const stale: string[] = [];
  /** Writes whose clients can't know whether they were done. */
  const open = new Set<KeyedWrite>();
  const dispatcher = new Agent({ connections: 8 });
  const facade = shop.system.urls['facade'] ?? '';
  const tokens = new Map<string, string>();
  for (const customer of CUSTOMERS) tokens.set(customer, await shop.token({ customer }));
  const stranger = await shop.token({ isKnown: false });
  let stopped = false;
  let number = 0;

  async function ask(
    route: Route,
    path: string,
    token: string,
    write?: KeyedWrite,
  ): Promise<Answer> {
    const from = performance.now();
    underWay.add(from);
    const answer = await send(path, token, write);
    underWay.delete(from);
    seen.push({ route, from, ms: performance.now() - from, what: answer.what });
    return answer;
  }

  async function send(path: string, token: string, write?: KeyedWrite): Promise<Answer> {
    let begun = false;
    try {
      const { statusCode, body } = await request(`${facade}${path}`, {
        dispatcher,
        method: write ? 'POST' : 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          ...(write ? { 'content-type': 'application/json', 'idempotency-key': write.key } : {}),
        },
        body: write ? JSON.stringify(write.body) : null,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      begun = true;
      const content = JSON.parse(await body.text()) as Content;
      const what = [statusCode, content.code].filter((each) => each !== undefined).join(' ');
      return { what, body: content };
    } catch (error) {
      const silent = (error as Error).name === 'TimeoutError';
      const what = silent ? 'nothing for 10 s' : begun ? 'cut' : 'no answer';
      return { what, body: {} };
    }
  }

  /** @returns the answer's body where it was done */
  async function writeOnce(route: Route, write: KeyedWrite): Promise<Content | undefined> {
    written.add(write);
    const { what, body } = await ask(
      route,
      write.path,
      tokens.get(write.customer) as string,
      write,
    );
    if (what === DONE) return body;
    if (body.detail?.includes(NOT_DONE) !== true) open.add(write);
    else if (written.delete(write)) refused.add(write);
    return undefined;
  }

  const sent = (path: string): number => [...written].filter((write) => write.path === path).length;
  const nextKey = (): string => `FAULT-${(number += 1)}`;

  async function stockClient(customer: string, sku: string): Promise<void> {
    const token = tokens.get(customer) as string;
    const path = `/api/inventory/${sku}`;
    const { body } = await send(path, token);
    const before = Number(body.onHand);
    let done = 0;
    while (!stopped) {
      const key = nextKey();
      const write = { path: `${path}/adjustments`, key, customer, body: { delta: 1, reason: key } };
      if (await writeOnce('stock write', write)) done += 1;
      await delay(PAUSE_MS);
      const shown = await ask('stock', path, token);
      const least = before + done;
      const most = before + sent(write.path);
      const onHand = Number(shown.body.onHand);
      if (shown.what === '200' && (onHand < least || onHand > most)) {
        stale.push(`${customer} was shown ${onHand} of ${sku}, not ${least} to ${most}`);
      }
      await delay(PAUSE_MS);
    }
  }

  /** One who only reads goes by the flag, as soon as one may. */
  async function stockReader(customer: string): Promise<void> {
    const token = await shop.token({ customer });
    while (!stopped) {
      await ask('stock', `/api/inventory/${SKUS[0]}`, token);
      await delay(PAUSE_MS);
    }
  }

  async function paymentClient(customer: string): Promise<void> {
    const token = tokens.get(customer) as string;
    let newest: string | undefined;
    while (!stopped) {
      const key = nextKey();
      const body = {
        orderId: key,
        customerId: customer,
        amount: 100,
        currency: 'USD',
        method: 'card_ok',
      };
      const paid = await writeOnce('payment write', { path: '/api/payments', key, customer, body });
      newest = paid?.id ?? newest;
      await delay(PAUSE_MS);
      if (newest === undefined) continue;
      const shown = await ask('payment', `/api/payments/${newest}`, token);
      if (shown.what.startsWith('404')) stale.push(`${customer} was not shown a payment of theirs`);
      await delay(PAUSE_MS);
    }
  }

  async function orderClient(customer: string): Promise<void> {
    const token = tokens.get(customer) as string;
    while (!stopped) {
      await ask('orders', `/api/orders?customerId=${customer}`, token);
      await delay(PAUSE_MS);
    }
  }

  async function strangeClient(): Promise<void> {
    while (!stopped) {
      await ask('strange token', '/api/orders?customerId=CORK', stranger);
      await delay(STRANGER_MS);
    }
  }

  const working = Promise.all([
    ...CUSTOMERS.flatMap((customer, index) => [
      stockClient(customer, SKUS[index] as string),
      paymentClient(customer),
      orderClient(customer),
    ]),
    stockReader('EMDEN'),
    strangeClient(),
  ]);
  // Told by `stop`; until then a failure must not end the process.
  working.catch(() => undefined);
  return {
    seen,
    written,
    refused,
    underWay,
    stale,
    async warm() {
      await eventually(() =>
        ROUTES.every((route) => seen.filter((each) => each.route === route).length >= WARM),
      );
    },
    async settle() {
      const deadline = performance.now() + 30_000;
      for (const write of open) {
        for (;;) {
          const { what } = await send(write.path, tokens.get(write.customer) as string, write);
          if (what === DONE) break;
          if (performance.now() > deadline) {
            throw new Error(
              `${write.key} is answered ${what} under its key, with no fault any more`,
            );
          }
          await delay(what === UNDER_WAY ? 20 : 100);
        }
        open.delete(write);
      }
    },
    async stop() {
      stopped = true;
      await working;
      await dispatcher.destroy();
    },
  };
}
