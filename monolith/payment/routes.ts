import express from 'express';
import type { Router } from 'express';
import {
  decodeCursor,
  keyedRequestOf,
  methodNotAllowed,
  notFound,
  parse,
  sendKeyedAnswer,
  toPage,
} from '../../chassis/index.ts';
import { isHidden, onlyCustomerOf } from '../../chassis/web/index.ts';
import type { OperationScope } from '../../chassis/index.ts';
import {
  HEADERS,
  LIST_NAMES,
  PaymentListQuery,
  PaymentRequest,
  RefundRequest,
} from '../../contracts/index.ts';
import type { Payment } from '../../contracts/index.ts';
import { pay } from './charge.ts';
import type { Provider } from './provider.ts';
import { refund } from './refund.ts';
import { findPayment, historyOf, listPayments } from './rows.ts';

const idOf = ({ id }: Payment): string => id;

/** The payment part of the HTTP contract. */
export function paymentRoutes(scope: OperationScope, provider: Provider): Router {
  const { read } = scope.database;
  const router = express.Router();

  router
    .route('/api/payments')
    .get(async (req, res) => {
      const { orderId, limit, cursor } = parse(PaymentListQuery, req.query, 'query');
      const list = LIST_NAMES.paymentsOf(orderId);
      const after = cursor === undefined ? undefined : decodeCursor(list, cursor);
      const only = onlyCustomerOf(req);
      const payments = await listPayments(read, { orderId, only, after }, limit + 1);
      res.json(toPage(list, payments, limit, idOf, (payment) => payment));
    })
    .post(async (req, res) => {
      const body = parse(PaymentRequest, req.body);
      if (isHidden(req, body.customerId)) throw notFound('customer', body.customerId);
      sendKeyedAnswer(res, await pay(scope, provider, keyedRequestOf(req, body), body));
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/payments/:id')
    .get(async (req, res) => {
      const payment = await findPayment(read, req.params.id);
      if (!payment || isHidden(req, payment.customerId)) throw notFound('payment', req.params.id);
      res.json(payment);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/payments/:id/history')
    .get(async (req, res) => {
      const payment = await findPayment(read, req.params.id);
      if (!payment || isHidden(req, payment.customerId)) throw notFound('payment', req.params.id);
      res.json(await historyOf(read, payment));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/payments/:id/refunds')
    .post(async (req, res) => {
      const body = parse(RefundRequest, req.body ?? {});
      const { id } = req.params;
      const payment = await findPayment(read, id);
      if (payment && isHidden(req, payment.customerId)) throw notFound('payment', id);
      // Which payment it is says better whose it is; this is for one that is not to be found.
      const cohortKey = req.get(HEADERS.customer) || undefined;
      const request = { ...keyedRequestOf(req, body), cohortKey };
      sendKeyedAnswer(res, await refund(scope, provider, request, id, body));
    })
    .all(methodNotAllowed('POST'));

  return router;
}
