import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvText } from '../chassis/index.ts';
import { WORLD } from '../contracts/cases/index.ts';

/** Writes what the cases' world holds, for the monolith's loader: products.csv, customers.csv. */
export async function writeWorld(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const products = WORLD.products.map(({ sku, name, unitPrice: { amount, currency }, onHand }) => [
    sku,
    name,
    (amount / 100).toFixed(2),
    currency,
    onHand,
  ]);
  const customers = WORLD.customers.map(({ id, name, country }) => [id, name, country]);
  await writeFile(
    join(directory, 'products.csv'),
    csvText(['sku', 'name', 'unit_price', 'currency', 'on_hand'], products),
  );
  await writeFile(
    join(directory, 'customers.csv'),
    csvText(['customer_id', 'name', 'country'], customers),
  );
}
