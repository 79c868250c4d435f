import { describe, expect, it } from '@jest/globals';
import { checkInvariants } from './checks.ts';
import type { Charge, Evidence } from './checks.ts';
import type { Dataset, PlannedOrder } from './dataset.ts';
import { createLedger } from './ledger.ts';
import type { OrderOutcome } from './ledger.ts';

const bought: PlannedOrder = {
  number: '1',
  customerId: 'C1',
  orderedAt: '2026-01-01T00:00:00.000Z',
  items: [{ sku: 'A', quantity: 3 }],
  method: 'card_ok',
  cancel: false,
};
const refused: PlannedOrder = { ...bought, number: '2', items: [{ sku: 'A', quantity: 30 }] };
const dataset: Dataset = {
  products: [{ sku: 'A', name: 'A', unitPrice: 200, currency: 'USD', onHand: 10 }],
  customers: [],
  orders: [bought, refused],
};
const charge: Charge = {
  paymentId: 'p1',
  reference: 'o1',
  status: 'captured',
  amount: 600,
  currency: 'USD',
  refunded: 0,
};
const side = {
  name: 'owner',
  stock: new Map([['A', { onHand: 7, reserved: 0 }]]),
  reservationsByOrder: new Map([['o1', 1]]),
};
const sound: Evidence = {
  charges: [charge],
  orders: [
    { id: 'o1', status: 'confirmed' },
    { id: 'o2', status: 'rejected' },
  ],
  sides: [side],
};

/** Names of the invariants that the evidence breaks. */
function broken(
  evidence: Evidence,
  first: OrderOutcome = { kind: 'confirmed', orderId: 'o1', cancelled: false },
  shop = dataset,
): string[] {
  const ledger = createLedger();
  ledger.told.set(bought, first);
  ledger.told.set(refused, { kind: 'out_of_stock', orderId: 'o2' });
  return checkInvariants(shop, ledger, evidence)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
}

describe('the invariants of a rehearsal', () => {
  it('hold when the system stores what clients were told', () => {
    expect(broken(sound)).toEqual([]);
  });

  it('find a lost update that both databases agree on', () => {
    const lost = { ...side, stock: new Map([['A', { onHand: 10, reserved: 0 }]]) };
    expect(broken({ ...sound, sides: [lost, lost] })).toEqual(['on hand + sold = loaded']);
  });

  it('find a second charge', () => {
    const twice = { ...sound, charges: [charge, { ...charge, paymentId: 'p2' }] };
    expect(broken(twice)).toEqual(['charges - refunds = confirmed orders', 'one charge an order']);
  });

  it('hold for an order that comes to nothing and was not charged, and find its charge', () => {
    const free = { ...dataset, products: [{ ...dataset.products[0]!, unitPrice: 0 }] };
    expect(broken({ ...sound, charges: [] }, undefined, free)).toEqual([]);
    expect(broken({ ...sound, charges: [{ ...charge, amount: 0 }] }, undefined, free)).toEqual([
      'one charge an order',
    ]);
  });

  it('find stock that is held for nobody', () => {
    const held = { ...side, stock: new Map([['A', { onHand: 7, reserved: 2 }]]) };
    expect(broken({ ...sound, sides: [held] })).toEqual(['nothing is left reserved']);
  });

  it('find stock below zero', () => {
    const negative = { ...side, stock: new Map([['A', { onHand: -1, reserved: 0 }]]) };
    expect(broken({ ...sound, sides: [negative] })).toContain('stock is never negative');
  });

  it('find a second reservation', () => {
    const twice = { ...side, reservationsByOrder: new Map([['o1', 2]]) };
    expect(broken({ ...sound, sides: [twice] })).toEqual(['one reservation an order']);
  });

  it('find an order that is missing, differs, or stands there twice', () => {
    const name = 'what clients were told is what is stored, once';
    const [first, second] = sound.orders;
    if (!first || !second) throw new Error('the sound evidence has two orders');
    expect(broken({ ...sound, orders: [second] })).toEqual([name]);
    expect(broken({ ...sound, orders: [{ id: 'o1', status: 'pending' }, second] })).toEqual([name]);
    expect(
      broken({ ...sound, orders: [first, second, { id: 'o3', status: 'confirmed' }] }),
    ).toEqual([name]);
  });

  it('find a refund that never came', () => {
    expect(broken(sound, { kind: 'confirmed', orderId: 'o1', cancelled: true })).toEqual([
      'on hand + sold = loaded',
      'charges - refunds = confirmed orders',
      'what clients were told is what is stored, once',
    ]);
  });
});
