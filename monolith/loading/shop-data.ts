import { join } from 'node:path';
import { cell, CsvError, readCsv } from '../../chassis/index.ts';
import type { CellReader, CsvRow } from '../../chassis/index.ts';
import { Currency, Id, Sku } from '../../contracts/index.ts';

/** What a shop begins with: what it sells and has in stock, and who may order. */
export interface ShopData {
  readonly products: readonly ProductRecord[];
  readonly customers: readonly CustomerRecord[];
}

export interface ProductRecord {
  readonly sku: string;
  readonly name: string;
  /** Minor units. */
  readonly unit_price: number;
  readonly currency: string;
  readonly on_hand: number;
}

export interface CustomerRecord {
  readonly customer_id: string;
  readonly name: string;
  readonly country: string;
}

/** Prices beyond this would make sums that a number cannot hold exactly; minor units. */
const MAX_PRICE = 1_000_000_000;

/** Takes what a schema of the contract takes. */
function valid(schema: {
  safeParse(text: string): { success: boolean; error?: { issues: readonly { message: string }[] } };
}): CellReader<string> {
  return (text) => {
    const result = schema.safeParse(text);
    if (result.success) return text;
    throw new Error(
      `${JSON.stringify(text)} ${result.error?.issues[0]?.message ?? 'is not valid'}`,
    );
  };
}

function price(text: string): number {
  const minor = cell.money(text);
  if (minor > MAX_PRICE) throw new Error(`${JSON.stringify(text)} is more than 10000000.00`);
  return minor;
}

function refuseTwice<T>(file: string, rows: readonly CsvRow<T>[], column: keyof T & string): T[] {
  const lines = new Map<unknown, number>();
  for (const { line, values } of rows) {
    const earlier = lines.get(values[column]);
    if (earlier !== undefined) {
      const value = JSON.stringify(values[column]);
      throw new CsvError(file, line, column, `${value} is on line ${earlier} already`);
    }
    lines.set(values[column], line);
  }
  return rows.map(({ values }) => values);
}

/**
 * Reads products.csv and customers.csv of a folder; every row is checked before this returns.
 * @throws CsvError at the first damage, naming file, line and column
 */
export async function readShopData(directory: string): Promise<ShopData> {
  const productsFile = join(directory, 'products.csv');
  const customersFile = join(directory, 'customers.csv');
  const products = await readCsv<ProductRecord & Record<string, unknown>>(productsFile, {
    sku: valid(Sku),
    name: cell.text,
    unit_price: price,
    currency: valid(Currency),
    on_hand: cell.whole(0),
  });
  const customers = await readCsv<CustomerRecord & Record<string, unknown>>(customersFile, {
    customer_id: valid(Id),
    name: cell.text,
    country: cell.text,
  });
  return {
    products: refuseTwice(productsFile, products, 'sku'),
    customers: refuseTwice(customersFile, customers, 'customer_id'),
  };
}
