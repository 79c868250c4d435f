import { effectOnce } from '../../chassis/index.ts';
import type { Database, FenceGuard, KeyedAnswer, KeyedRequest } from '../../chassis/index.ts';
import type { AdjustmentRequest, ReservationRequest } from '../../contracts/index.ts';
import { createLegacyKeys } from '../legacy/index.ts';
import { outbox } from '../outbox.ts';
import { adjust } from './adjustments.ts';
import { commit, release, reserve } from './reservations.ts';

/**
 * What changes stock. Each is one transaction, takes effect once for its key, and throws
 * FencedError where this database does not own inventory.
 */
export interface InventoryWrites {
  adjust(sku: string, body: AdjustmentRequest, request: KeyedRequest): Promise<KeyedAnswer>;
  reserve(body: ReservationRequest, request: KeyedRequest): Promise<KeyedAnswer>;
  commit(reservationId: string, request: KeyedRequest): Promise<KeyedAnswer>;
  release(reservationId: string, request: KeyedRequest): Promise<KeyedAnswer>;
}

export const inventoryKeys = createLegacyKeys('INV_IDEM');

export function createInventoryWrites(database: Database, guard: FenceGuard): InventoryWrites {
  const scope = { database, guard, keys: inventoryKeys, outbox, now: Date.now };
  return {
    adjust: (sku, body, request) =>
      effectOnce(scope, request, (trx, now) => adjust(trx, sku, body, now)),
    reserve: (body, request) => effectOnce(scope, request, (trx, now) => reserve(trx, body, now)),
    commit: (id, request) => effectOnce(scope, request, (trx, now) => commit(trx, id, now)),
    release: (id, request) => effectOnce(scope, request, (trx, now) => release(trx, id, now)),
  };
}
