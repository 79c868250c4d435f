import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvText } from '../chassis/index.ts';
import type { Dataset } from './dataset.ts';

function major(minor: number): string {
  return (minor / 100).toFixed(2);
}

/** Writes the catalogue and the customers in the import format. */
export async function writeImport(dataset: Dataset, directory: string): Promise<void> {
  const products = dataset.products.map(({ sku, name, unitPrice, currency, onHand }) => [
    sku,
    name,
    major(unitPrice),
    currency,
    onHand,
  ]);
  const customers = dataset.customers.map(({ id, name, country }) => [id, name, country]);
  await writeFile(
    join(directory, 'products.csv'),
    csvText(['sku', 'name', 'unit_price', 'currency', 'on_hand'], products),
  );
  await writeFile(
    join(directory, 'customers.csv'),
    csvText(['customer_id', 'name', 'country'], customers),
  );
}
