import { effectsOf } from '../base/effects.ts';
import type { SideName } from '../base/rows.ts';
import type { Clients } from './clients.ts';
import type { FaultyShop } from './faulty-shop.ts';

/** Writes that took effect another number of times than their clients were told. */
export async function wronglyStored(
  { system }: FaultyShop,
  { written, refused }: Clients,
  owner: SideName,
): Promise<string[]> {
  const { adjustments, payments, charges } = await effectsOf(system, {
    inventory: owner,
    payment: owner,
  });
  const wrong = (expected: number, told: string) => (write: { key: string; path: string }) => {
    const found =
      write.path === '/api/payments'
        ? [payments.get(write.key) ?? 0, charges.get(write.key) ?? 0]
        : [adjustments.get(write.key) ?? 0];
    return found.every((count) => count === expected)
      ? []
      : [`${write.key}, ${told}, is stored ${found.join(' and charged ')} times`];
  };
  return [
    ...[...written].flatMap(wrong(1, 'which was answered')),
    ...[...refused].flatMap(wrong(0, 'of which nothing has happened')),
  ];
}
