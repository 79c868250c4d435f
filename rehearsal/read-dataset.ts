import { join } from 'node:path';
import { cell, CsvError, readCsv } from '../chassis/index.ts';
import type { CsvRow } from '../chassis/index.ts';
import type { Dataset, PlannedOrder } from './dataset.ts';

interface Line extends Record<string, unknown> {
  readonly order_id: string;
  readonly customer_id: string;
  readonly ordered_at: string;
  readonly sku: string;
  readonly quantity: number;
}

/** One order an order_id, in the order of the file; lines of one SKU are summed. */
function gather(rows: readonly CsvRow<Line>[]): PlannedOrder[] {
  const orders = new Map<string, Line[]>();
  for (const { values } of rows) {
    orders.set(values.order_id, [...(orders.get(values.order_id) ?? []), values]);
  }
  return [...orders].map(([number, lines]) => {
    const quantities = new Map<string, number>();
    for (const { sku, quantity } of lines) {
      quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
    }
    return {
      number,
      customerId: lines[0]?.customer_id ?? '',
      orderedAt: lines[0]?.ordered_at ?? '',
      items: [...quantities].map(([sku, quantity]) => ({ sku, quantity })),
      method: 'card_ok',
      cancel: false,
    };
  });
}

function mustBeOneOf(
  file: string,
  column: 'sku' | 'customer_id',
  rows: readonly CsvRow<Line>[],
  known: ReadonlySet<string>,
): void {
  for (const { line, values } of rows) {
    if (known.has(values[column])) continue;
    const value = JSON.stringify(values[column]);
    throw new CsvError(file, line, column, `${value} is in no line of the file it refers to`);
  }
}

/**
 * Reads products.csv, customers.csv and order_lines.csv of a folder.
 * @throws CsvError that names file, line and column of the first damage
 */
export async function readDataset(directory: string): Promise<Dataset> {
  const products = await readCsv(join(directory, 'products.csv'), {
    sku: cell.text,
    name: cell.text,
    unit_price: cell.money,
    currency: cell.text,
    on_hand: cell.whole(0),
  });
  const customers = await readCsv(join(directory, 'customers.csv'), {
    customer_id: cell.text,
    name: cell.text,
    country: cell.text,
  });
  const file = join(directory, 'order_lines.csv');
  const lines = await readCsv<Line>(file, {
    order_id: cell.text,
    customer_id: cell.text,
    ordered_at: cell.moment,
    sku: cell.text,
    quantity: cell.whole(1),
  });
  mustBeOneOf(file, 'sku', lines, new Set(products.map(({ values }) => values.sku)));
  mustBeOneOf(
    file,
    'customer_id',
    lines,
    new Set(customers.map(({ values }) => values.customer_id)),
  );
  return {
    products: products.map(({ values }) => ({
      sku: values.sku,
      name: values.name,
      unitPrice: values.unit_price,
      currency: values.currency,
      onHand: values.on_hand,
    })),
    customers: customers.map(({ values }) => ({
      id: values.customer_id,
      name: values.name,
      country: values.country,
    })),
    orders: gather(lines),
  };
}
