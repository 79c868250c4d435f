import { totalOf } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import type { Ledger, OrderOutcome } from './ledger.ts';
import { sold } from './ledger.ts';
import type { Invariant } from './report.ts';

/** One charge as the card processor knows it. */
export interface Charge {
  readonly paymentId: string;
  /** The order's id. */
  readonly reference: string;
  readonly status: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly refunded: number;
}

export interface StoredOrder {
  readonly id: string;
  readonly status: string;
}

/** What the system holds once everything has come to rest. */
export interface Evidence {
  readonly charges: readonly Charge[];
  readonly orders: readonly StoredOrder[];
  /** Stock and reservations as each side's database holds them; the owner's come first. */
  readonly sides: readonly {
    readonly name: string;
    readonly stock: ReadonlyMap<string, { readonly onHand: number; readonly reserved: number }>;
    readonly reservationsByOrder: ReadonlyMap<string, number>;
  }[];
}

/** Charges less refunds by currency. */
export function netCharged(charges: readonly Charge[]): Record<string, number> {
  const net: Record<string, number> = {};
  for (const { status, amount, refunded, currency } of charges) {
    if (status === 'declined') continue;
    net[currency] = (net[currency] ?? 0) + amount - refunded;
  }
  return net;
}

function invariant(name: string, broken: readonly string[]): Invariant {
  const shown = broken.slice(0, 5).join('; ');
  const more = broken.length > 5 ? ` and ${broken.length - 5} more` : '';
  return { name, ok: broken.length === 0, detail: `${shown}${more}` };
}

/** Holds what the system stores against what its clients were told. */
export function checkInvariants(dataset: Dataset, ledger: Ledger, evidence: Evidence): Invariant[] {
  const told = [...ledger.told.values()];
  return [
    stockNeverNegative(evidence),
    stockAddsUp(dataset, ledger, evidence),
    invariant(
      'nothing is left reserved',
      evidence.sides.flatMap(({ name, stock }) =>
        [...stock]
          .filter(([, { reserved }]) => reserved !== 0)
          .map(([sku, { reserved }]) => `${name}: ${reserved} of ${sku}`),
      ),
    ),
    moneyAddsUp(dataset, ledger, evidence),
    oneCharge(dataset, ledger, evidence),
    oneReservation(told, evidence),
    toldIsStored(told, evidence),
  ];
}

function stockNeverNegative({ sides }: Evidence): Invariant {
  return invariant(
    'stock is never negative',
    sides.flatMap(({ name, stock }) =>
      [...stock]
        .filter(([, { onHand, reserved }]) => onHand < 0 || reserved < 0 || reserved > onHand)
        .map(([sku, level]) => `${name}: ${sku} ${JSON.stringify(level)}`),
    ),
  );
}

function stockAddsUp(dataset: Dataset, ledger: Ledger, { sides }: Evidence): Invariant {
  const soldBySku = new Map<string, number>();
  for (const { items } of sold(ledger)) {
    for (const { sku, quantity } of items) {
      soldBySku.set(sku, (soldBySku.get(sku) ?? 0) + quantity);
    }
  }
  return invariant(
    'on hand + sold = loaded',
    sides.flatMap(({ name, stock }) =>
      dataset.products.flatMap(({ sku, onHand: loaded }) => {
        const onHand = stock.get(sku)?.onHand ?? NaN;
        const gone = soldBySku.get(sku) ?? 0;
        return onHand + gone === loaded
          ? []
          : [`${name}: ${sku} has ${onHand} on hand and ${gone} sold, of ${loaded}`];
      }),
    ),
  );
}

function moneyAddsUp(dataset: Dataset, ledger: Ledger, { charges }: Evidence): Invariant {
  const products = new Map(dataset.products.map((product) => [product.sku, product]));
  const owed: Record<string, number> = {};
  for (const { items } of sold(ledger)) {
    for (const { sku, quantity } of items) {
      const { unitPrice = NaN, currency = '?' } = products.get(sku) ?? {};
      owed[currency] = (owed[currency] ?? 0) + unitPrice * quantity;
    }
  }
  const net = netCharged(charges);
  const currencies = new Set([...Object.keys(owed), ...Object.keys(net)]);
  return invariant(
    'charges - refunds = confirmed orders',
    [...currencies]
      .filter((currency) => (owed[currency] ?? 0) !== (net[currency] ?? 0))
      .map((currency) => `${currency}: ${net[currency] ?? 0} charged for ${owed[currency] ?? 0}`),
  );
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

type Answered = Exclude<OrderOutcome, { kind: 'unknown' }>;

function answered(told: readonly OrderOutcome[]): Answered[] {
  return told.filter((answer): answer is Answered => answer.kind !== 'unknown');
}

/** None for an order that comes to nothing: there is nothing to charge. */
function oneCharge(dataset: Dataset, { told }: Ledger, { charges }: Evidence): Invariant {
  const captured = countBy(
    charges.filter(({ status }) => status !== 'declined'),
    ({ reference }) => reference,
  );
  return invariant(
    'one charge an order',
    [...told].flatMap(([order, answer]) => {
      if (answer.kind === 'unknown') return [];
      const due = answer.kind === 'confirmed' && totalOf(order, dataset) > 0 ? 1 : 0;
      const count = captured.get(answer.orderId) ?? 0;
      return count === due ? [] : [`${answer.kind} order ${answer.orderId} has ${count} charges`];
    }),
  );
}

function oneReservation(told: readonly OrderOutcome[], { sides }: Evidence): Invariant {
  return invariant(
    'one reservation an order',
    sides.flatMap(({ name, reservationsByOrder }) =>
      answered(told)
        .filter(({ kind }) => kind !== 'payment_declined')
        .flatMap(({ kind, orderId }) => {
          const count = reservationsByOrder.get(orderId) ?? 0;
          return count === (kind === 'confirmed' ? 1 : 0)
            ? []
            : [`${name}: ${kind} order ${orderId} has ${count}`];
        }),
    ),
  );
}

function toldIsStored(told: readonly OrderOutcome[], { orders }: Evidence): Invariant {
  const stored = new Map(orders.map(({ id, status }) => [id, status]));
  const wrong = answered(told).flatMap((answer) => {
    const expected =
      answer.kind === 'confirmed'
        ? answer.cancelled
          ? 'cancelled'
          : 'confirmed'
        : answer.kind === 'payment_declined'
          ? 'payment_declined'
          : 'rejected';
    const status = stored.get(answer.orderId);
    return status === expected
      ? []
      : [`order ${answer.orderId} is ${status ?? 'missing'}, its client was told ${expected}`];
  });
  const unknown = told.length - answered(told).length;
  const extra = orders.length - answered(told).length;
  const twice = extra > unknown ? [`${extra} orders more are stored than clients sent`] : [];
  return invariant('what clients were told is what is stored, once', [...wrong, ...twice]);
}
