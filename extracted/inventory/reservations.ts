import { v7 as uuid } from 'uuid';
import { keptRefusal, notFound, refuse } from '../../chassis/index.ts';
import type { Effect, Knex, Problem, Transaction } from '../../chassis/index.ts';
import {
  alreadyReserved,
  bySku,
  outOfStock,
  reservationEvent,
  reservationReleased,
  unknownSku,
} from '../../contracts/index.ts';
import type {
  Line,
  Reservation,
  ReservationRequest,
  ReservationStatus,
} from '../../contracts/index.ts';
import { changeStock, holdLevels } from './stock.ts';
import type { StockChange } from './stock.ts';

interface ReservationRow {
  readonly id: string;
  readonly order_id: string;
  readonly status: ReservationStatus;
  readonly created_at: number;
}

export async function findReservation(
  connection: Knex,
  id: string,
): Promise<Reservation | undefined> {
  const row = await connection('reservations').where({ id }).first();
  return row && present(connection, row as ReservationRow);
}

async function present(connection: Knex, row: ReservationRow): Promise<Reservation> {
  const { id } = row;
  // They never change.
  const items = (await connection('reservation_items')
    .where({ reservation_id: id })
    .select('sku', 'quantity')) as Line[];
  return {
    id,
    orderId: row.order_id,
    status: row.status,
    items: items.toSorted(bySku),
    createdAt: new Date(row.created_at).toISOString(),
  };
}

function refused(problem: Problem, resourceId: string | null = null): Effect {
  return { answer: keptRefusal(problem), resourceId };
}

/**
 * Reserves all lines of an order, or none.
 * @throws Problem 422 `unknown_sku`
 */
export async function reserve(
  trx: Transaction,
  { orderId, items }: ReservationRequest,
  now: number,
): Promise<Effect> {
  const earlier = (await trx('reservations').where({ order_id: orderId }).first('id')) as
    { id: string } | undefined;
  if (earlier) return refused(refuse(alreadyReserved(orderId, earlier.id)), earlier.id);
  const levels = await holdLevels(
    trx,
    items.map(({ sku }) => sku),
  );
  const unknown = items.filter(({ sku }) => !levels.has(sku)).map(({ sku }) => sku);
  if (unknown.length > 0) throw refuse(unknownSku(items, unknown));
  const short = items.filter(({ sku, quantity }) => (levels.get(sku)?.available ?? 0) < quantity);
  if (short.length > 0) return refused(refuse(outOfStock(short.map(({ sku }) => sku))));
  const body = await insert(trx, orderId, items, now);
  return {
    answer: { status: 201, body },
    resourceId: body.id,
    event: reservationEvent('StockReserved', body),
  };
}

async function insert(
  trx: Transaction,
  orderId: string,
  items: readonly Line[],
  now: number,
): Promise<Reservation> {
  const id = uuid();
  const lines = items.toSorted(bySku);
  await trx('reservations').insert({
    id,
    order_id: orderId,
    status: 'active',
    created_at: now,
    updated_at: now,
  });
  for (const { sku, quantity } of lines) {
    await trx('reservation_items').insert({ reservation_id: id, sku, quantity });
    await changeStock(trx, sku, { reserved: quantity }, now);
  }
  const createdAt = new Date(now).toISOString();
  return { id, orderId, status: 'active', items: lines, createdAt };
}

/**
 * The reserved goods leave the stock. A committed reservation stays as it is.
 * @throws Problem 404
 */
export async function commit(trx: Transaction, id: string, now: number): Promise<Effect> {
  const reservation = await mustHold(trx, id);
  if (reservation.status === 'released') return refused(refuse(reservationReleased(id)), id);
  if (reservation.status === 'committed') return unchanged(reservation);
  return move(trx, reservation, 'committed', now, (quantity) => ({
    onHand: -quantity,
    reserved: -quantity,
  }));
}

/**
 * Gives the goods of an active or committed reservation back. A released one stays as it is.
 * @throws Problem 404
 */
export async function release(trx: Transaction, id: string, now: number): Promise<Effect> {
  const reservation = await mustHold(trx, id);
  if (reservation.status === 'released') return unchanged(reservation);
  const active = reservation.status === 'active';
  const released = await move(trx, reservation, 'released', now, (quantity) =>
    active ? { reserved: -quantity } : { onHand: quantity },
  );
  return { ...released, event: reservationEvent('StockReleased', reservation) };
}

/** A reservation, kept from others until the transaction ends. */
async function mustHold(trx: Transaction, id: string): Promise<Reservation> {
  const row = await trx('reservations').where({ id }).forUpdate().first();
  if (!row) throw notFound('reservation', id);
  return present(trx, row as ReservationRow);
}

function unchanged(reservation: Reservation): Effect {
  return { answer: { status: 200, body: reservation }, resourceId: reservation.id };
}

async function move(
  trx: Transaction,
  reservation: Reservation,
  status: ReservationStatus,
  now: number,
  changeOf: (quantity: number) => StockChange,
): Promise<Effect> {
  await trx('reservations').where({ id: reservation.id }).update({ status, updated_at: now });
  const skus = reservation.items.map(({ sku }) => sku);
  await holdLevels(trx, skus);
  for (const { sku, quantity } of reservation.items) {
    await changeStock(trx, sku, changeOf(quantity), now);
  }
  return unchanged({ ...reservation, status });
}
