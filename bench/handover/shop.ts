import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const HOT_KEYS = 20;
/** So much that no adjustment is ever refused. */
export const LOADED = 1_000_000;

const each = <T>(make: (number: string) => T): T[] =>
  Array.from({ length: HOT_KEYS }, (_unused, index) => make(String(index + 1).padStart(2, '0')));

/** All that the clients work on: the fewer keys, the more writes meet on each. */
export const skus: readonly string[] = each((number) => `HOT-${number}`);
export const customers: readonly string[] = each((number) => `C-${number}`);

/** Writes what the monolith is filled with, as an import. */
export async function writeShop(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const products = skus.map((sku) => `${sku},Product ${sku},1.00,USD,${LOADED}\n`);
  const people = customers.map((id) => `${id},Customer ${id},NO\n`);
  await writeFile(
    join(folder, 'products.csv'),
    `sku,name,unit_price,currency,on_hand\n${products.join('')}`,
  );
  await writeFile(join(folder, 'customers.csv'), `customer_id,name,country\n${people.join('')}`);
}
