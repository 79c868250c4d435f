/** What a rehearsal replays: a catalogue with stock, customers, and orders in time order. */
export interface Dataset {
  readonly products: readonly Product[];
  readonly customers: readonly Customer[];
  readonly orders: readonly PlannedOrder[];
}

export interface Product {
  readonly sku: string;
  readonly name: string;
  /** Minor units, such as cents. */
  readonly unitPrice: number;
  readonly currency: string;
  readonly onHand: number;
}

export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly country: string;
}

export type PaymentMethod = 'card_ok' | 'card_declined' | 'card_timeout' | 'card_slow';

export interface PlannedOrder {
  /** The order's number in the data; becomes its Idempotency-Key. */
  readonly number: string;
  readonly customerId: string;
  readonly orderedAt: string;
  /** One entry a SKU. */
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  readonly method: PaymentMethod;
  /** Whether the customer cancels the order after it was confirmed. */
  readonly cancel: boolean;
}

/** What an order comes to, in minor units of its products' currency. Nothing is charged for 0. */
export function totalOf({ items }: Pick<PlannedOrder, 'items'>, { products }: Dataset): number {
  const quantities = new Map(items.map(({ sku, quantity }) => [sku, quantity]));
  return products.reduce(
    (sum, { sku, unitPrice }) => sum + unitPrice * (quantities.get(sku) ?? 0),
    0,
  );
}
