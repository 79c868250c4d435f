import { requestHash } from '../../../chassis/index.ts';
import type { HttpClient, KeyedRequest, StoredAnswer } from '../../../chassis/index.ts';
import type { ReservationRequest } from '../../../contracts/index.ts';
import type { InventoryWrites } from '../../inventory/index.ts';
import { answerOf, callRemote } from './port.ts';
import type { CallKey } from './port.ts';

/** What orders need of inventory, wherever that is. Answers are the contract's. */
export interface InventoryPort {
  reserve(body: ReservationRequest, call: CallKey): Promise<StoredAnswer>;
  commit(reservationId: string, call: CallKey): Promise<StoredAnswer>;
  release(reservationId: string, call: CallKey): Promise<StoredAnswer>;
}

const RESERVATIONS = '/api/inventory/reservations';

function keyed(call: CallKey, path: string, body?: unknown): KeyedRequest {
  return { ...call, hash: requestHash('POST', path, body) };
}

/** Inventory as a module of this process. Keys are hashed as over HTTP, since they may move. */
export function localInventory(writes: InventoryWrites): InventoryPort {
  return {
    reserve: (body, call) => answerOf(writes.reserve(body, keyed(call, RESERVATIONS, body))),
    commit: (id, call) => answerOf(writes.commit(id, keyed(call, `${RESERVATIONS}/${id}/commit`))),
    release: (id, call) =>
      answerOf(writes.release(id, keyed(call, `${RESERVATIONS}/${id}/release`))),
  };
}

/** Inventory as a service of its own. */
export function remoteInventory(client: HttpClient): InventoryPort {
  return {
    reserve: (body, call) => callRemote(client, RESERVATIONS, body, call),
    commit: (id, call) => callRemote(client, `${RESERVATIONS}/${id}/commit`, undefined, call),
    release: (id, call) => callRemote(client, `${RESERVATIONS}/${id}/release`, undefined, call),
  };
}
