import { describe, expect, it } from '@jest/globals';
import {
  AdjustmentRequest,
  ListQuery,
  OrderRequest,
  PaymentRequest,
  RefundRequest,
  ReservationRequest,
  Sku,
} from './index.ts';

const payment = {
  orderId: 'o-1',
  customerId: 'ALFKI',
  amount: 1250,
  currency: 'USD',
  method: 'card_ok',
};

function wrongFields(result: { error?: { issues: { path: PropertyKey[] }[] } | undefined }) {
  return result.error?.issues.map(({ path }) => path.join('.'));
}

describe('requests', () => {
  it.each([0, -1, 1.5, 1_000_001, '3', null, Number.NaN])('refuses the quantity %p', (quantity) => {
    const result = ReservationRequest.safeParse({
      orderId: 'o-1',
      items: [{ sku: 'A', quantity }],
    });
    expect(wrongFields(result)).toEqual(['items.0.quantity']);
  });

  it('refuses a SKU in two lines, naming the second', () => {
    const lines = [
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 1 },
      { sku: 'A', quantity: 2 },
    ];
    const result = OrderRequest.safeParse({
      customerId: 'ALFKI',
      paymentMethod: 'card_ok',
      items: lines,
    });
    expect(wrongFields(result)).toEqual(['items.2.sku']);
  });

  it.each(['', ' ', 'a b', '../x', 'ä', 'x'.repeat(65), 7])('refuses the id %p', (orderId) => {
    expect(wrongFields(PaymentRequest.safeParse({ ...payment, orderId }))).toEqual(['orderId']);
  });

  it.each(['TL 100/2', '85099B', 'Größe 42', '#10', '100% cotton', '(A+B)', '...', 'x'.repeat(64)])(
    'takes the SKU %p of another shop',
    (sku) => {
      expect(Sku.safeParse(sku).success).toBe(true);
    },
  );

  it.each([
    '',
    ' ',
    ' A',
    'A ',
    'A\tB',
    'A\u0000',
    'A\\B',
    '.',
    '..',
    'A/../B',
    'x/.',
    'x'.repeat(65),
  ])('refuses the SKU %p, which no path carries', (sku) => {
    expect(Sku.safeParse(sku).success).toBe(false);
  });

  it.each([0, -5, 0.5, 2 ** 53, '1'])('refuses the amount %p', (amount) => {
    expect(wrongFields(PaymentRequest.safeParse({ ...payment, amount }))).toEqual(['amount']);
    expect(wrongFields(RefundRequest.safeParse({ amount }))).toEqual(['amount']);
  });

  it('refuses unknown fields and says what a currency may be', () => {
    expect(PaymentRequest.safeParse({ ...payment, tip: 1 }).success).toBe(false);
    const { error } = PaymentRequest.safeParse({ ...payment, currency: 'JPY' });
    expect(error?.issues[0]?.message).toBe('must be one of USD, EUR, GBP');
  });

  it('takes what is right', () => {
    expect(PaymentRequest.parse(payment)).toEqual(payment);
    expect(RefundRequest.parse({})).toEqual({});
    expect(AdjustmentRequest.parse({ delta: -3, reason: 'broken' })).toEqual({
      delta: -3,
      reason: 'broken',
    });
  });

  it.each([0, 1.5, 1_000_001])('refuses the delta %p', (delta) => {
    expect(wrongFields(AdjustmentRequest.safeParse({ delta, reason: 'x' }))).toEqual(['delta']);
  });
});

describe('the query of a list', () => {
  it('turns the limit into a number, 50 when absent', () => {
    expect(ListQuery.parse({})).toEqual({ limit: 50 });
    expect(ListQuery.parse({ limit: '200', cursor: 'x' })).toEqual({ limit: 200, cursor: 'x' });
  });

  it.each(['0', '201', '', '-1', '1e2', ' 7', '5.0', ['1', '2']])(
    'refuses the limit %p',
    (limit) => {
      expect(wrongFields(ListQuery.safeParse({ limit }))).toEqual(['limit']);
    },
  );
});
