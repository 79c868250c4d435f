import type { KeyedAnswer, KeyedRequest } from '../../chassis/index.ts';
import type { PaymentRequest, RefundRequest } from '../../contracts/index.ts';
import { openCharge, openRefund } from './intents.ts';
import type { PaymentDraft, PaymentScope } from './intents.ts';
import type { Provider } from './provider.ts';
import { settle } from './settlement.ts';

/**
 * What moves money. Each takes effect once for its key, and throws FencedError where this database
 * does not own payment; the owner goes on with the same key and attempt.
 */
export interface PaymentWrites {
  pay(body: PaymentRequest, request: KeyedRequest): Promise<KeyedAnswer>;
  refund(paymentId: string, body: RefundRequest, request: KeyedRequest): Promise<KeyedAnswer>;
}

export function createPaymentWrites(scope: PaymentScope, provider: Provider): PaymentWrites {
  async function goOn(request: KeyedRequest, draft: PaymentDraft): Promise<KeyedAnswer> {
    return 'intent' in draft ? settle(scope, provider, request, draft.intent) : draft;
  }
  return {
    pay: async (body, request) => goOn(request, await openCharge(scope, body, request)),
    refund: async (paymentId, body, request) =>
      goOn(request, await openRefund(scope, paymentId, body, request)),
  };
}
