import { z } from 'zod';
import { CallFailed, createHttpClient, patiently } from '../../chassis/index.ts';
import type { HttpAnswer } from '../../chassis/index.ts';

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
  close(): Promise<void>;
}

interface ProviderOptions {
  readonly url: string;
  /** For one call, in milliseconds. */
  readonly timeoutMs: number;
  /** For one charge or refund with all that it takes to learn how it ended, in milliseconds. */
  readonly patienceMs?: number;
}

const Charge = z.object({ status: z.enum(['captured', 'declined']) });

/** No answer, or none that says how it ended; the call may have had its effect all the same. */
const UNKNOWN = Symbol('unknown');
const ABSENT = Symbol('absent');

/** A client of the provider, which tells what is known from what is not. */
export function createProvider({ url, timeoutMs, patienceMs = 6_000 }: ProviderOptions): Provider {
  const client = createHttpClient(url, timeoutMs);

  async function call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<HttpAnswer | typeof UNKNOWN> {
    try {
      const answer = await client.call(method, path, body === undefined ? {} : { body });
      return answer.status >= 500 ? UNKNOWN : answer;
    } catch (error) {
      if (error instanceof CallFailed) return UNKNOWN;
      throw error;
    }
  }

  async function post(intent: ChargeIntent): Promise<ChargeOutcome | typeof UNKNOWN> {
    const { id: paymentId, orderId: reference, amount, currency, method } = intent;
    const body = { paymentId, reference, amount, currency, method };
    const answer = await call('POST', '/charges', body);
    return answer === UNKNOWN ? UNKNOWN : Charge.parse(accepted(answer).body).status;
  }

  async function lookUp(id: string): Promise<ChargeOutcome | typeof UNKNOWN | typeof ABSENT> {
    const answer = await call('GET', `/charges/${encodeURIComponent(id)}`);
    if (answer === UNKNOWN) return UNKNOWN;
    return answer.status === 404 ? ABSENT : Charge.parse(accepted(answer).body).status;
  }

  return {
    async charge(intent, askedBefore) {
      // A charge that got no answer may have been made. It is looked up, and only made again, under
      // the same id, when the provider has never heard of it.
      let lookFirst = askedBefore;
      return await patiently(patienceMs, async () => {
        const outcome = lookFirst ? await lookUp(intent.id) : await post(intent);
        lookFirst = outcome !== ABSENT;
        return typeof outcome === 'string' ? outcome : undefined;
      });
    },
    async refund({ id: refundId, paymentId, amount }) {
      const path = `/charges/${encodeURIComponent(paymentId)}/refunds`;
      return await patiently(patienceMs, async () => {
        const answer = await call('POST', path, { refundId, amount });
        return answer === UNKNOWN ? undefined : accepted(answer) && 'refunded';
      });
    },
    close: () => client.close(),
  };
}

function accepted(answer: HttpAnswer): HttpAnswer {
  if (answer.status < 300) return answer;
  throw new Error(`the provider refused: ${answer.status} ${JSON.stringify(answer.body)}`);
}
