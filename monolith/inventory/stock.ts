import type { Knex, Transaction } from '../../chassis/index.ts';
import type { StockLevel } from '../../contracts/index.ts';
import { toTimestamp } from '../legacy/index.ts';

interface StockRow {
  readonly SKU_CD: string;
  readonly QTY_OH: number;
  readonly QTY_RSV: number;
}

function present({ SKU_CD: sku, QTY_OH: onHand, QTY_RSV: reserved }: StockRow): StockLevel {
  return { sku, onHand, reserved, available: onHand - reserved };
}

/** The levels of these SKUs; those that have no stock row are left out. */
export async function findLevels(
  connection: Knex,
  skus: readonly string[],
): Promise<Map<string, StockLevel>> {
  const rows = (await connection('INV_STOCK').whereIn('SKU_CD', skus)) as StockRow[];
  return new Map(rows.map((row) => [row.SKU_CD, present(row)]));
}

/** The same, kept from others until the transaction ends; in one order, so that no two wait for each other. */
export async function holdLevels(
  trx: Transaction,
  skus: readonly string[],
): Promise<Map<string, StockLevel>> {
  const rows = (await trx('INV_STOCK')
    .whereIn('SKU_CD', skus)
    .orderBy('SKU_CD')
    .forUpdate()) as StockRow[];
  return new Map(rows.map((row) => [row.SKU_CD, present(row)]));
}

export async function findLevel(connection: Knex, sku: string): Promise<StockLevel | undefined> {
  return (await findLevels(connection, [sku])).get(sku);
}

/** The levels after `afterSku`, in the SKUs' order. */
export async function listLevels(
  connection: Knex,
  afterSku: string,
  limit: number,
): Promise<StockLevel[]> {
  const rows = (await connection('INV_STOCK')
    .where('SKU_CD', '>', afterSku)
    .orderBy('SKU_CD')
    .limit(limit)) as StockRow[];
  return rows.map(present);
}

/** A change of one SKU's stock, in pieces; what is left out stays. */
export interface StockChange {
  readonly onHand?: number;
  readonly reserved?: number;
}

/** Changes the stock of a SKU whose level is held, in one statement, so that the table's checks see the sum of it only. */
export async function changeStock(
  trx: Knex,
  sku: string,
  { onHand = 0, reserved = 0 }: StockChange,
  now: number,
): Promise<void> {
  await trx('INV_STOCK')
    .where({ SKU_CD: sku })
    .update({
      QTY_OH: trx.raw('?? + ?', ['QTY_OH', onHand]),
      QTY_RSV: trx.raw('?? + ?', ['QTY_RSV', reserved]),
      UPD_TS: toTimestamp(now),
    });
}
