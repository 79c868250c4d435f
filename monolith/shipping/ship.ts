import type { Database, Knex } from '../../chassis/index.ts';
import { shipped } from '../../contracts/index.ts';
import { toTimestamp } from '../legacy/index.ts';
import { outbox } from '../outbox.ts';

const BATCH = 100;

interface DueRow {
  readonly ORD_NO: string;
  readonly CUST_NO: string;
}

const ready = (connection: Knex) => connection('SHP_HDR').where({ STAT_CD: 'R', SHIP_TS: null });

/**
 * Lets the goods leave of shipments that have been ready for a while, and publishes each. Until then, cancelling an order
 * stops its shipment.
 * @param afterMs how long a shipment stays ready
 * @returns how many left
 */
export async function shipDue(database: Database, afterMs: number): Promise<number> {
  const due = (await ready(database.read)
    .where('CRT_TS', '<=', toTimestamp(Date.now() - afterMs))
    .orderBy('CRT_TS')
    .limit(BATCH)
    .select('ORD_NO', 'CUST_NO')) as DueRow[];
  let left = 0;
  for (const { ORD_NO: orderId, CUST_NO: customerId } of due) {
    const isFirst = await database.transaction(async (trx) => {
      const now = Date.now();
      const time = toTimestamp(now);
      // Called off meanwhile, or shipped by another process.
      const changed = await ready(trx)
        .where({ ORD_NO: orderId })
        .update({ SHIP_TS: time, UPD_TS: time });
      if (changed === 0) return false;
      const shippedAt = new Date(now).toISOString();
      await outbox.publish(trx, { ...shipped({ orderId, customerId, shippedAt }), epoch: 0 });
      return true;
    });
    if (isFirst) left += 1;
  }
  return left;
}
