import { v7 as uuid } from 'uuid';
import { keptRefusal, notFound, refuse } from '../../chassis/index.ts';
import type { Effect, Transaction } from '../../chassis/index.ts';
import { insufficientStock, stockAdjusted } from '../../contracts/index.ts';
import type { Adjustment, AdjustmentRequest } from '../../contracts/index.ts';
import { toTimestamp } from '../legacy/index.ts';
import { changeStock, holdLevels } from './stock.ts';

/**
 * Adds to what is on hand of a SKU, or takes from it; never below what is reserved.
 * @throws Problem 404 for a SKU without stock
 */
export async function adjust(
  trx: Transaction,
  sku: string,
  { delta, reason }: AdjustmentRequest,
  now: number,
): Promise<Effect> {
  const level = (await holdLevels(trx, [sku])).get(sku);
  if (!level) throw notFound('stock of SKU', sku);
  const { reserved } = level;
  const onHand = level.onHand + delta;
  if (onHand < reserved) {
    return { answer: keptRefusal(refuse(insufficientStock(sku))), resourceId: null };
  }
  const id = uuid();
  await changeStock(trx, sku, { onHand: delta }, now);
  await trx('INV_ADJ').insert({
    ADJ_NO: id,
    SKU_CD: sku,
    DLT_QTY: delta,
    RSN_TXT: reason,
    CRT_TS: toTimestamp(now),
  });
  const stock = { sku, onHand, reserved, available: onHand - reserved };
  const createdAt = new Date(now).toISOString();
  const body: Adjustment = { id, sku, delta, reason, createdAt, stock };
  return { answer: { status: 201, body }, resourceId: id, event: stockAdjusted(body) };
}
