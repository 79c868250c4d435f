import { mkdir } from 'node:fs/promises';
import { WORLD } from '../../contracts/cases/index.ts';
import { writeImport } from '../../rehearsal/index.ts';

/** Writes what the cases' world holds, for the monolith's loader: products.csv, customers.csv. */
export async function writeWorld(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const products = WORLD.products.map(({ sku, name, unitPrice, onHand }) => ({
    sku,
    name,
    unitPrice: unitPrice.amount,
    currency: unitPrice.currency,
    onHand,
  }));
  await writeImport({ products, customers: WORLD.customers, orders: [] }, directory);
}
