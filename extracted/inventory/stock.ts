import type { Knex, Transaction } from '../../chassis/index.ts';
import type { StockLevel } from '../../contracts/index.ts';

interface StockRow {
  readonly sku: string;
  readonly on_hand: number;
  readonly reserved: number;
}

function rows(connection: Knex) {
  return connection('stock_levels')
    .leftJoin('stock_holds', 'stock_holds.sku', 'stock_levels.sku')
    .select<StockRow[]>(
      'stock_levels.sku as sku',
      'on_hand',
      connection.raw('coalesce(reserved, 0) as reserved'),
    )
    .orderBy('stock_levels.sku');
}

function present({ sku, on_hand: onHand, reserved }: StockRow): StockLevel {
  return { sku, onHand, reserved, available: onHand - reserved };
}

/** The levels of these SKUs; those that do not exist are left out. */
export async function findLevels(
  connection: Knex,
  skus: readonly string[],
): Promise<Map<string, StockLevel>> {
  const found = await rows(connection).whereIn('stock_levels.sku', skus);
  return new Map(found.map((row) => [row.sku, present(row)]));
}

/**
 * The levels of these SKUs, kept from others until the transaction ends. All rows of a SKU's stock are read and changed
 * behind its row of `stock_levels`; the SKUs' order is the same for everybody, so that no two wait for each other.
 */
export async function holdLevels(
  trx: Transaction,
  skus: readonly string[],
): Promise<Map<string, StockLevel>> {
  // In a statement of its own: one that had to wait would read what is held as it was before.
  await trx('stock_levels').whereIn('sku', skus).orderBy('sku').forUpdate().select('sku');
  return findLevels(trx, skus);
}

export async function findLevel(connection: Knex, sku: string): Promise<StockLevel | undefined> {
  return (await findLevels(connection, [sku])).get(sku);
}

/** At most `count` levels in the SKUs' order, those after `after` only. */
export async function listLevels(
  connection: Knex,
  after: string | undefined,
  count: number,
): Promise<StockLevel[]> {
  const query = rows(connection).limit(count);
  return (await (after === undefined ? query : query.where('stock_levels.sku', '>', after))).map(
    present,
  );
}

/** A change of one SKU's stock, in pieces; what is left out stays. */
export interface StockChange {
  readonly onHand?: number;
  readonly reserved?: number;
}

/**
 * Changes a SKU's stock. The caller holds its level, and has made sure that it falls below nothing.
 * @throws Error when the SKU has no row to change, since nothing may be promised of it then
 */
export async function changeStock(
  trx: Knex,
  sku: string,
  { onHand = 0, reserved = 0 }: StockChange,
  now: number,
): Promise<void> {
  // What is held first: the other side keeps both in one row, where no more may be held than is
  // on hand after each statement.
  if (reserved !== 0) {
    const change = { reserved: trx.raw('reserved + ?', [reserved]) };
    mustChange(sku, await trx('stock_holds').where({ sku }).update(change));
  }
  const change = { on_hand: trx.raw('on_hand + ?', [onHand]), updated_at: now };
  mustChange(sku, await trx('stock_levels').where({ sku }).update(change));
}

function mustChange(sku: string, changed: number): void {
  if (changed !== 1) throw new Error(`${changed} rows hold the stock of ${sku}`);
}
