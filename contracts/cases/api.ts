import { randomBytes } from 'node:crypto';
import { HEADERS } from '../headers.ts';
import { StockLevel } from '../inventory.ts';
import { checked } from './answer.ts';
import { ask } from './ask.ts';
import type { CheckedAnswer, RawAnswer } from './answer.ts';
import type { Exchange, Target } from './target.ts';

type Headers = Readonly<Record<string, string>>;

/** Somebody who asks a target. */
interface Client {
  readonly target: Target;
  readonly customer: string;
}

/** What a case talks to its target with. Everything it asks is recorded, except arrangements. */
export interface Api {
  get(path: string, headers?: Headers): Promise<CheckedAnswer>;
  /** @param body sent as JSON; a text is sent as it is; undefined sends no body */
  post(path: string, body?: unknown, headers?: Headers): Promise<CheckedAnswer>;
  send(method: string, path: string, body?: unknown, headers?: Headers): Promise<CheckedAnswer>;
  /** Asks the same twice at once; recorded in the order of their status. */
  postTwice(path: string, body: unknown, headers: Headers): Promise<CheckedAnswer[]>;
  /** A name that was never used before, such as an order's; reports call it by its label. */
  fresh(label: string): string;
  /** A fresh Idempotency-Key, as a header. */
  key(): Headers;
  /** Brings SKUs that nothing is reserved of to this level. Not recorded. */
  arrangeStock(levels: Readonly<Record<string, number>>): Promise<void>;
}

export interface RecordingApi extends Api {
  readonly exchanges: readonly Exchange[];
  /** Label of each name that `fresh` has given out. */
  readonly labels: ReadonlyMap<string, string>;
  /** Arrangements that failed. The case goes on: what is wrong shows better in its own answers. */
  readonly unarranged: readonly string[];
}

async function askAs(
  { target, customer }: Client,
  method: string,
  path: string,
  body: unknown,
  headers: Headers,
): Promise<RawAnswer> {
  if (method === 'GET') await target.settled?.();
  return ask(method, target.baseUrl + path, {
    headers: { [HEADERS.customer]: customer, ...headers },
    via: target.via,
    text: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Brings a SKU to a level; says why when that fails. */
async function arrange(client: Client, sku: string, onHand: number): Promise<string | null> {
  const path = `/api/inventory/${encodeURIComponent(sku)}`;
  const level = StockLevel.safeParse((await askAs(client, 'GET', path, undefined, {})).body);
  if (!level.success) return 'its level cannot be read';
  if (level.data.reserved !== 0) return 'something of it is reserved';
  const delta = onHand - level.data.onHand;
  if (delta === 0) return null;
  const body = { delta, reason: 'arranged for a contract case' };
  const { status } = await askAs(client, 'POST', `${path}/adjustments`, body, {});
  return status === 201 ? null : `its adjustment is answered ${status}`;
}

/**
 * Records what a case asks of a target, and what it is answered.
 * @param customer who asks, as a facade that divides its clients is told
 */
export function recordingApi(target: Target, customer: string): RecordingApi {
  const client: Client = { target, customer };
  const exchanges: Exchange[] = [];
  const labels = new Map<string, string>();
  const unarranged: string[] = [];

  function record(method: string, path: string, body: unknown, answer: RawAnswer): CheckedAnswer {
    exchanges.push({ method, path, sent: body, answer });
    return checked(answer);
  }

  async function send(method: string, path: string, body?: unknown, headers: Headers = {}) {
    return record(method, path, body, await askAs(client, method, path, body, headers));
  }

  function fresh(label: string): string {
    const name = `${label}-${randomBytes(6).toString('hex')}`;
    const number = [...labels.values()].filter((other) => other.startsWith(`${label} `)).length + 1;
    labels.set(name, `${label} ${number}`);
    return name;
  }

  return {
    exchanges,
    labels,
    unarranged,
    send,
    fresh,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body, headers) => send('POST', path, body, headers),
    key: () => ({ [HEADERS.idempotencyKey]: fresh('key') }),
    async postTwice(path, body, headers) {
      const both = [1, 2].map(() => askAs(client, 'POST', path, body, headers));
      const answers = (await Promise.all(both)).sort((left, right) => left.status - right.status);
      return answers.map((answer) => record('POST', path, body, answer));
    },
    async arrangeStock(levels) {
      for (const [sku, onHand] of Object.entries(levels)) {
        const failure = await arrange(client, sku, onHand);
        if (failure) unarranged.push(`could not arrange the stock of ${sku}: ${failure}`);
      }
    },
  };
}
