import { z } from 'zod';
import { Id } from './primitives.ts';
import { named } from './registry.ts';

export const MAX_LIMIT = 200;
export const DEFAULT_LIMIT = 50;

const LIMIT_RULE = `must be a whole number from 1 to ${MAX_LIMIT}`;

export const limit = z
  .string({ error: LIMIT_RULE })
  .regex(/^\d{1,9}$/, { error: LIMIT_RULE })
  .transform(Number)
  .pipe(z.int().min(1, { error: LIMIT_RULE }).max(MAX_LIMIT, { error: LIMIT_RULE }))
  .default(DEFAULT_LIMIT);

export const cursor = z
  .string({ error: 'must be the nextCursor of the answer before' })
  .min(1, { error: 'must be the nextCursor of the answer before; leave it out to start over' })
  .optional();

/** The query of a list without a filter. `limit` arrives as text and leaves as a number. */
export const ListQuery = z.strictObject({ limit, cursor });
export type ListQuery = z.infer<typeof ListQuery>;

/** The query of a customer's orders. */
export const OrderListQuery = z.strictObject({ customerId: Id, limit, cursor });
export type OrderListQuery = z.infer<typeof OrderListQuery>;

/** The query of an order's payments. */
export const PaymentListQuery = z.strictObject({ orderId: Id, limit, cursor });
export type PaymentListQuery = z.infer<typeof PaymentListQuery>;

/**
 * The names that cursors are made for. They are part of the contract: a client that pages through a
 * list while it changes hands gives one side's cursor to the other. The key is the item's `sku` or
 * `id`, and lists are in its byte order.
 */
export const LIST_NAMES = {
  products: 'products',
  inventory: 'inventory',
  paymentsOf: (orderId: string) => `payments/${orderId}`,
  ordersOf: (customerId: string) => `orders/${customerId}`,
} as const;

/** One page of a list. `nextCursor` is null on the last one. */
export function pageOf<Item extends z.ZodType>(
  id: string,
  item: Item,
): z.ZodObject<
  { items: z.ZodArray<Item>; nextCursor: z.ZodNullable<z.ZodString> },
  z.core.$strict
> {
  return named(id, z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() }));
}
