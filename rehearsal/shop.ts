import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { BELIEVED } from './callers.ts';
import type { Callers } from './callers.ts';
import type { Ledger } from './ledger.ts';

export interface ShopAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface Send {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly customerId: string;
  readonly key?: string;
  readonly body?: unknown;
  /** The documented answers to this request: a status, with a problem's code where it has one. */
  readonly accept: readonly string[];
}

/** A customer's client: sends through the facade and writes down every failure. */
export interface Shop {
  /**
   * Sends until a documented answer comes; every other answer, reset or time-out counts as a
   * failed request. A write is sent again under its key, as any careful client would.
   * @returns null when none came within the patience given
   */
  send(request: Send): Promise<ShopAnswer | null>;
  close(): Promise<void>;
}

const ATTEMPT_MS = 30_000;
const PAUSE_MS = 150;

/** Such as `201` or `409 out_of_stock`. */
function kindOf({ status, body }: ShopAnswer): string {
  return typeof body['code'] === 'string' ? `${status} ${body['code']}` : String(status);
}

function describe(kind: string, { body }: ShopAnswer): string {
  return typeof body['detail'] === 'string' ? `${kind}: ${body['detail']}` : kind;
}

/**
 * @param patienceMs how long a request is sent again before it is given up
 * @param callers how customers say who they are
 */
export function createShop(
  facadeUrl: string,
  ledger: Ledger,
  patienceMs: number,
  callers: Callers = BELIEVED,
): Shop {
  const pool = new Pool(facadeUrl, { connections: 128, pipelining: 1 });

  async function attempt({ method, path, customerId, key, body }: Send): Promise<ShopAnswer> {
    const answer = await pool.request({
      method,
      path,
      headers: {
        ...callers.customer(customerId),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(ATTEMPT_MS),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: JSON.parse(text) as Record<string, unknown> };
  }

  async function send(request: Send): Promise<ShopAnswer | null> {
    const giveUp = Date.now() + patienceMs;
    const what = `${request.method} ${request.path}`;
    for (let again = false; ; again = true) {
      const from = Date.now();
      ledger.requests += 1;
      const fail = (reason: string): void => {
        ledger.failed.push({ what, from, to: Date.now(), reason });
      };
      try {
        const answer = await attempt(request);
        const kind = kindOf(answer);
        if (request.accept.includes(kind)) {
          const took = request.method === 'POST' && answer.status < 300;
          if (took) ledger.writes.push({ from, to: Date.now() });
          return answer;
        }
        // After a failure of ours, the first delivery may still be under way; that is no failure.
        if (!(again && kind === '409 request_in_flight')) fail(describe(kind, answer));
      } catch (error) {
        fail(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      }
      if (Date.now() > giveUp) return null;
      await delay(PAUSE_MS);
    }
  }

  return { send, close: () => pool.destroy() };
}
