import { resolveAbandoned, resumeOperation } from '../../chassis/index.ts';
import type { KeyedRequest, Logger, OperationScope } from '../../chassis/index.ts';
import { chargeOperation } from './charge.ts';
import type { Provider } from './provider.ts';
import { refundOperation } from './refund.ts';
import { findPayment } from './rows.ts';

/** Finds out how every abandoned charge and refund ended; returns how many it settled. */
export function resolvePayments(
  scope: OperationScope,
  provider: Provider,
  log: Logger,
): Promise<number> {
  const resume = async (request: KeyedRequest, id: string): Promise<unknown> =>
    (await findPayment(scope.database.read, id))
      ? resumeOperation(scope, request, chargeOperation(provider))
      : resumeOperation(scope, request, refundOperation(provider));
  return resolveAbandoned(scope, resume, log);
}
