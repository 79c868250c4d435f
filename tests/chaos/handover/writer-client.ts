import { request } from '../../support/index.ts';
import type { FailedTry, Sent } from './writer-ledger.ts';

export interface Answer {
  readonly status: number;
  readonly id: string | null;
}

interface Outcome {
  readonly answer?: Answer;
  readonly failure?: FailedTry;
}

/** The documented answers to a write of these. */
const DOCUMENTED = new Set(['201', '409 insufficient_stock']);
/** After a failure, the first delivery may still be under way; that is no failure. */
const UNDER_WAY = '409 request_in_flight';
const TRY_MS = 30_000;

export function whatOf({ kind, sku }: Sent): string {
  return kind === 'adjustment' ? `POST /api/inventory/${sku}/adjustments` : 'POST /api/payments';
}

function bodyOf({ kind, key, amount, customer }: Sent): object {
  return kind === 'adjustment'
    ? { delta: amount, reason: key }
    : { orderId: key, customerId: customer, amount, currency: 'USD', method: 'card_ok' };
}

/**
 * Sends a write once, through one facade.
 * @param again whether it was sent before
 * @returns neither answer nor failure while what was sent before is under way
 */
export async function tryOnce(
  sent: Sent,
  facade: { readonly name: string; readonly url: string },
  again: boolean,
): Promise<Outcome> {
  const what = whatOf(sent);
  const from = Date.now();
  const failed = (reason: string): Outcome => ({
    failure: { what, facade: facade.name, from, to: Date.now(), reason },
  });
  try {
    const { status, body } = await request<{ id?: string; code?: string }>(
      'POST',
      `${facade.url}${what.split(' ')[1]}`,
      {
        body: bodyOf(sent),
        headers: { 'idempotency-key': sent.key, 'x-customer-id': sent.customer },
        timeoutMs: TRY_MS,
      },
    );
    const kind = body.code === undefined ? String(status) : `${status} ${body.code}`;
    if (again && kind === UNDER_WAY) return {};
    if (!DOCUMENTED.has(kind)) return failed(kind);
    return { answer: { status, id: body.id ?? null } };
  } catch (error) {
    return failed(String((error as Error).cause ?? error));
  }
}
