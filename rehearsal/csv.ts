import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from './dataset.ts';

type Cell = string | number;

/** RFC 4180: quoted where a comma, a quote or a line break needs it. */
function cell(value: Cell): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

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
    table(['sku', 'name', 'unit_price', 'currency', 'on_hand'], products),
  );
  await writeFile(
    join(directory, 'customers.csv'),
    table(['customer_id', 'name', 'country'], customers),
  );
}
