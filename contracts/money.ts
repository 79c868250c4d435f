import { z } from 'zod';
import { named } from './registry.ts';

export const CURRENCIES = ['USD', 'EUR', 'GBP'] as const;

/** ISO 4217; each of these has two minor digits. */
export const Currency = named(
  'Currency',
  z.enum(CURRENCIES, { error: `must be one of ${CURRENCIES.join(', ')}` }),
);
export type Currency = z.infer<typeof Currency>;

/** An amount to charge or pay back, in minor units (cents). */
export const PositiveAmount = z
  .int({ error: 'must be a whole number of minor units (cents), above 0' })
  .min(1, { error: 'must be 1 or more minor units (cents)' });

/** An amount in an answer, in minor units (cents). */
export const Amount = z.int().min(0);

export const Money = named('Money', z.strictObject({ amount: Amount, currency: Currency }));
export type Money = z.infer<typeof Money>;
