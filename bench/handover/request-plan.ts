import { customers, skus } from './shop.ts';

export interface Planned {
  readonly kind: 'read' | 'adjustment' | 'payment';
  readonly key: string;
  readonly customer: string;
  readonly sku: string;
  readonly amount: number;
}

const KINDS = ['read', 'adjustment', 'read', 'adjustment', 'read', 'payment'] as const;

/** The request of a number: half reads, a third adjustments, the rest payments, hot keys only. */
export function plan(number: number): Planned {
  const hot = Math.floor(number / KINDS.length) % skus.length;
  return {
    kind: KINDS[number % KINDS.length] ?? 'read',
    key: `bench-${number}`,
    customer: customers[hot] as string,
    sku: skus[hot] as string,
    amount: number % 3 === 0 ? -1 : 1 + (number % 3),
  };
}
