import type { Customer, Dataset, PaymentMethod, PlannedOrder, Product } from './dataset.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';

interface Size {
  readonly products: number;
  readonly customers: number;
  readonly orders: number;
  /** How much of each product there is, compared with the usual 60 to 400; 1 when absent. */
  readonly abundance?: number;
}

const GOODS = ['Tea', 'Coffee', 'Honey', 'Pasta', 'Olives', 'Rice', 'Cheese', 'Figs'] as const;
const KINDS = ['Mountain', 'Island', 'Valley', 'Harbour', 'Garden', 'Forest'] as const;
const COUNTRIES = ['Portugal', 'Norway', 'Chile', 'Ghana', 'Japan'] as const;

/** Most cards work; some decline, some leave the outcome unknown, a few are slow. */
function method(random: Random): PaymentMethod {
  const draw = random.next();
  if (draw < 0.85) return 'card_ok';
  if (draw < 0.93) return 'card_declined';
  return draw < 0.98 ? 'card_timeout' : 'card_slow';
}

function product(random: Random, index: number, abundance: number): Product {
  return {
    sku: `FIG-${String(index + 1).padStart(3, '0')}`,
    name: `${random.pick(KINDS)} ${random.pick(GOODS)}`,
    unitPrice: random.between(150, 9_900),
    currency: 'USD',
    onHand: random.between(60, 400) * abundance,
  };
}

function order(
  random: Random,
  index: number,
  products: readonly Product[],
  customers: readonly Customer[],
): PlannedOrder {
  const lines = new Map<string, number>();
  for (let line = random.between(1, 4); line > 0; line -= 1) {
    // A few products are much in demand: hot rows are where lost updates hide.
    const hot = random.next() < 0.5;
    const chosen =
      products[random.between(0, (hot ? Math.min(5, products.length) : products.length) - 1)];
    if (chosen) lines.set(chosen.sku, (lines.get(chosen.sku) ?? 0) + random.between(1, 5));
  }
  return {
    number: `G${index + 1}`,
    customerId: customers[random.between(0, customers.length - 1)]?.id ?? 'C001',
    orderedAt: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
    items: [...lines].map(([sku, quantity]) => ({ sku, quantity })),
    method: method(random),
    cancel: random.next() < 0.08,
  };
}

/** Makes up a shop and its orders; the same seed makes the same ones. */
export function generateDataset(
  seed: number,
  size: Size = { products: 40, customers: 25, orders: 400 },
): Dataset {
  const random = createRandom(seed);
  const products = Array.from({ length: size.products }, (_unused, index) =>
    product(random, index, size.abundance ?? 1),
  );
  const customers = Array.from({ length: size.customers }, (_unused, index) => ({
    id: `C${String(index + 1).padStart(3, '0')}`,
    name: `Customer ${index + 1}`,
    country: random.pick(COUNTRIES),
  }));
  const orders = Array.from({ length: size.orders }, (_unused, index) =>
    order(random, index, products, customers),
  );
  return { products, customers, orders };
}
