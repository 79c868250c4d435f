import { totalOf } from './dataset.ts';
import type { Dataset } from './dataset.ts';

/** What processing a dataset's orders one after the other, on paper, comes to. */
export interface Expected {
  readonly confirmed: number;
  readonly refused: number;
  /** Minor units by currency: charges less refunds. */
  readonly charged: Readonly<Record<string, number>>;
  readonly stock: Readonly<Record<string, number>>;
}

/**
 * Replays the orders on paper: all lines or none, then the card. It shares no code with the
 * system, so that it can tell whether the system is right.
 */
export function replay(dataset: Dataset): Expected {
  const { products, orders } = dataset;
  const stock = Object.fromEntries(products.map(({ sku, onHand }) => [sku, onHand]));
  const catalogue = new Map(products.map((product) => [product.sku, product]));
  const charged: Record<string, number> = {};
  let confirmed = 0;
  for (const order of orders) {
    const { items, method, cancel } = order;
    const inStock = items.every(({ sku, quantity }) => (stock[sku] ?? 0) >= quantity);
    const declined = method === 'card_declined' && totalOf(order, dataset) > 0;
    if (!inStock || declined) continue;
    confirmed += 1;
    if (cancel) continue;
    for (const { sku, quantity } of items) {
      stock[sku] = (stock[sku] ?? 0) - quantity;
      const product = catalogue.get(sku);
      if (!product) throw new Error(`the orders name ${sku}, which is no product`);
      charged[product.currency] = (charged[product.currency] ?? 0) + product.unitPrice * quantity;
    }
  }
  return { confirmed, refused: orders.length - confirmed, charged, stock };
}
