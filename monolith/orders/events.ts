import type { Transaction } from '../../chassis/index.ts';
import type { Order } from '../../contracts/index.ts';

export type OrderEventType = 'OrderPlaced' | 'OrderConfirmed' | 'OrderRejected' | 'OrderCancelled';

/** Says, in the transaction that makes it so, what has happened to an order. */
export type Publish = (trx: Transaction, type: OrderEventType, order: Order) => Promise<void>;
