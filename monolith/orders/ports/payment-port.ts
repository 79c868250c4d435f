import { requestHash } from '../../../chassis/index.ts';
import type { HttpClient, KeyedRequest, StoredAnswer } from '../../../chassis/index.ts';
import type { PaymentRequest } from '../../../contracts/index.ts';
import type { PaymentWrites } from '../../payment/index.ts';
import { answerOf, callRemote } from './port.ts';
import type { CallKey } from './port.ts';

/** What orders need of payment, wherever that is. Answers are the contract's. */
export interface PaymentPort {
  pay(body: PaymentRequest, call: CallKey): Promise<StoredAnswer>;
  /** Pays back all that is left. */
  refund(paymentId: string, call: CallKey): Promise<StoredAnswer>;
}

const PAYMENTS = '/api/payments';
const ALL_THAT_IS_LEFT = {};

/** Payment as a module of this process. Keys are hashed as over HTTP, since they may move. */
export function localPayment(writes: PaymentWrites): PaymentPort {
  return {
    pay: (body, call) => answerOf(writes.pay(body, keyed(call, PAYMENTS, body))),
    refund: (id, call) => {
      const request = keyed(call, `${PAYMENTS}/${id}/refunds`, ALL_THAT_IS_LEFT);
      return answerOf(writes.refund(id, ALL_THAT_IS_LEFT, request));
    },
  };
}

function keyed({ key, attemptId, customerId }: CallKey, path: string, body: unknown): KeyedRequest {
  return { key, attemptId, cohortKey: customerId, hash: requestHash('POST', path, body) };
}

/** Payment as a service of its own. */
export function remotePayment(client: HttpClient): PaymentPort {
  return {
    pay: (body, call) => callRemote(client, PAYMENTS, body, call),
    refund: (id, call) => callRemote(client, `${PAYMENTS}/${id}/refunds`, ALL_THAT_IS_LEFT, call),
  };
}
