import { v7 as uuid } from 'uuid';
import { keptRefusal, notFound, refuse } from '../../chassis/index.ts';
import type { Effect, Transaction } from '../../chassis/index.ts';
import { insufficientStock, stockAdjusted } from '../../contracts/index.ts';
import type { Adjustment, AdjustmentRequest } from '../../contracts/index.ts';
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
  const onHand = level.onHand + delta;
  if (onHand < level.reserved) {
    return { answer: keptRefusal(refuse(insufficientStock(sku))), resourceId: null };
  }
  const id = uuid();
  await changeStock(trx, sku, { onHand: delta }, now);
  await trx('stock_adjustments').insert({ id, sku, delta, reason, created_at: now });
  const body: Adjustment = {
    id,
    sku,
    delta,
    reason,
    createdAt: new Date(now).toISOString(),
    stock: { sku, onHand, reserved: level.reserved, available: onHand - level.reserved },
  };
  return { answer: { status: 201, body }, resourceId: id, event: stockAdjusted(body) };
}
