import { CallFailed, isTemporaryStatus, patiently } from '../../chassis/index.ts';
import type { HttpAnswer, HttpClient } from '../../chassis/index.ts';

export type ChargeOutcome = 'captured' | 'declined';

/** What the provider is asked to charge. `id` is its idempotency key, whichever side asks. */
export interface ChargeIntent {
  readonly id: string;
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  readonly method: string;
}

export interface RefundIntent {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: number;
}

/** The card processor. Answers undefined when its answer did not become known in time. */
export interface Provider {
  /** @param askedBefore looks it up first: it may have been charged already */
  charge(intent: ChargeIntent, askedBefore: boolean): Promise<ChargeOutcome | undefined>;
  refund(intent: RefundIntent): Promise<'refunded' | undefined>;
}

interface ProviderOptions {
  readonly client: HttpClient;
  /** How long one call may take. */
  readonly timeoutMs: number;
  /** How long to go on asking. */
  readonly patienceMs: number;
}

/** A real answer; anything else is no answer. */
function definite(answer: HttpAnswer): HttpAnswer {
  if (!isTemporaryStatus(answer.status)) return answer;
  throw new CallFailed(`the provider answered ${answer.status}`, true, undefined);
}

function expectStatus(answer: HttpAnswer, ...statuses: number[]): HttpAnswer {
  if (statuses.includes(answer.status)) return answer;
  throw new Error(`the provider answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

function outcomeOf(answer: HttpAnswer): ChargeOutcome {
  const { status } = answer.body as { status?: unknown };
  if (status === 'captured' || status === 'declined') return status;
  throw new Error(`the provider answered ${JSON.stringify(answer.body)}`);
}

export function createProvider({ client, timeoutMs, patienceMs }: ProviderOptions): Provider {
  async function call(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    const content = body === undefined ? {} : { body };
    return definite(await client.call(method, path, { ...content, timeoutMs }));
  }

  /** Asks until there is an answer, or the time is up. `ask` learns whether an earlier one may have arrived. */
  function persist<T>(ask: (mayBeKnown: boolean) => Promise<T>): Promise<T | undefined> {
    let mayBeKnown = false;
    return patiently(patienceMs, async () => {
      try {
        return await ask(mayBeKnown);
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        mayBeKnown ||= error.sent;
        return undefined;
      }
    });
  }

  return {
    charge: ({ id, amount, currency, method, orderId }, askedBefore) =>
      persist(async (mayBeKnown) => {
        if (mayBeKnown || askedBefore) {
          const found = expectStatus(await call('GET', `/charges/${id}`), 200, 404);
          if (found.status === 200) return outcomeOf(found);
        }
        const charge = { paymentId: id, amount, currency, method, reference: orderId };
        return outcomeOf(expectStatus(await call('POST', '/charges', charge), 200, 201));
      }),
    refund: ({ id, paymentId, amount }) =>
      persist(async () => {
        const refund = { refundId: id, amount };
        expectStatus(await call('POST', `/charges/${paymentId}/refunds`, refund), 200, 201);
        return 'refunded' as const;
      }),
  };
}
