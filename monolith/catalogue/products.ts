import type { Knex } from '../../chassis/index.ts';
import type { Currency, Product } from '../../contracts/index.ts';
import { toMinor } from '../legacy/index.ts';

interface ProductRow {
  readonly SKU_CD: string;
  readonly PROD_NM: string;
  readonly PRC_AMT: string;
  readonly CURR_CD: string;
}

function toProduct(row: ProductRow): Product {
  return {
    sku: row.SKU_CD,
    name: row.PROD_NM,
    price: { amount: toMinor(row.PRC_AMT), currency: row.CURR_CD as Currency },
  };
}

/** The products after `afterSku`, in the SKUs' order. */
export async function listProducts(
  connection: Knex,
  afterSku: string,
  limit: number,
): Promise<Product[]> {
  const rows = (await connection('CAT_PROD')
    .where('SKU_CD', '>', afterSku)
    .orderBy('SKU_CD')
    .limit(limit)) as ProductRow[];
  return rows.map(toProduct);
}

/** Those of the SKUs that exist. */
export async function findProducts(
  connection: Knex,
  skus: readonly string[],
): Promise<ReadonlyMap<string, Product>> {
  const rows = (await connection('CAT_PROD').whereIn('SKU_CD', skus)) as ProductRow[];
  return new Map(rows.map((row) => [row.SKU_CD, toProduct(row)]));
}
