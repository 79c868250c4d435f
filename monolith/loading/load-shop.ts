import type { Database, FenceGuard, Transaction } from '../../chassis/index.ts';
import { toDecimal, toTimestamp } from '../legacy/index.ts';
import type { ProductRecord, ShopData } from './shop-data.ts';

/** What a load has done. Stock that was there is left as it was. */
export interface Loaded {
  readonly products: number;
  readonly customers: number;
  readonly stocked: number;
  readonly stockKept: number;
}

/**
 * Writes a shop's data in one transaction. What is there is brought up to date, except for stock:
 * what was sold since an earlier load must not come back. Loading stock is a business write like
 * any other.
 * @throws FencedError when there is stock to load and this database does not own inventory
 */
export async function loadShop(
  database: Database,
  inventory: FenceGuard,
  { products, customers }: ShopData,
): Promise<Loaded> {
  return database.alone(async (trx) => {
    const known = new Set((await trx('INV_STOCK').pluck('SKU_CD')) as string[]);
    const missing = products.filter(({ sku }) => !known.has(sku));
    if (missing.length > 0) await inventory.assertOpen(trx);
    for (const product of products) await upsertProduct(trx, product);
    for (const { customer_id, name, country } of customers) {
      const row = { CUST_NO: customer_id, CUST_NM: name, CTRY: country };
      await trx('CUS_MST').insert(row).onConflict('CUST_NO').merge();
    }
    await insertStock(trx, missing);
    return {
      products: products.length,
      customers: customers.length,
      stocked: missing.length,
      stockKept: products.length - missing.length,
    };
  });
}

async function upsertProduct(trx: Transaction, product: ProductRecord): Promise<void> {
  const row = {
    SKU_CD: product.sku,
    PROD_NM: product.name,
    PRC_AMT: toDecimal(product.unit_price),
    CURR_CD: product.currency,
  };
  await trx('CAT_PROD').insert(row).onConflict('SKU_CD').merge();
}

async function insertStock(trx: Transaction, products: readonly ProductRecord[]): Promise<void> {
  const now = toTimestamp(Date.now());
  for (const { sku, on_hand } of products) {
    await trx('INV_STOCK').insert({ SKU_CD: sku, QTY_OH: on_hand, QTY_RSV: 0, UPD_TS: now });
  }
}
