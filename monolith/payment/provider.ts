import { setTimeout as delay } from 'node:timers/promises';
import { CallFailed, isTemporaryStatus } from '../../chassis/index.ts';
import type { HttpAnswer, HttpClient } from '../../chassis/index.ts';
import type { Payment } from '../../contracts/index.ts';

/** The provider has not said what became of a charge or refund, though asked again and again. */
export class ProviderSilent extends Error {
  override readonly name = 'ProviderSilent';
}

export interface Refund {
  readonly id: string;
  readonly paymentId: string;
  readonly customerId: string;
  readonly amount: number;
}

export interface Provider {
  /**
   * Charges a payment, once, under its own id. What is not fresh may be known to the provider
   * already and is looked up before it is charged; so is what gave no answer.
   * @throws ProviderSilent
   */
  charge(payment: Payment, fresh: boolean): Promise<'captured' | 'declined'>;
  /**
   * Pays back, once, under the refund's own id.
   * @throws ProviderSilent
   */
  refund(refund: Refund): Promise<void>;
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

function outcomeOf(answer: HttpAnswer): 'captured' | 'declined' {
  const { status } = answer.body as { status?: unknown };
  if (status === 'captured' || status === 'declined') return status;
  throw new Error(`the provider answered ${JSON.stringify(answer.body)}`);
}

export function createProvider({ client, timeoutMs, patienceMs }: ProviderOptions): Provider {
  async function call(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    const content = body === undefined ? {} : { body };
    return definite(await client.call(method, path, { ...content, timeoutMs }));
  }

  /** Asks until there is an answer. `ask` learns whether an earlier one may have arrived. */
  async function persist<T>(ask: (mayBeKnown: boolean) => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs;
    let mayBeKnown = false;
    for (let failures = 0; ; failures += 1) {
      try {
        return await ask(mayBeKnown);
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        if (performance.now() > deadline) {
          throw new ProviderSilent('the provider gives no answer', { cause: error });
        }
        mayBeKnown ||= error.sent;
        await delay(Math.min(1_000, 20 * 2 ** failures) * (0.5 + Math.random() / 2));
      }
    }
  }

  return {
    charge: ({ id, amount, currency, method, orderId }, fresh) =>
      persist(async (mayBeKnown) => {
        if (mayBeKnown || !fresh) {
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
      }),
  };
}
