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
import { timestampToIso, toTimestamp } from '../legacy/index.ts';
import { changeStock, holdLevels } from './stock.ts';
import type { StockChange } from './stock.ts';

const STATUS_OF_CODE = { A: 'active', C: 'committed', R: 'released' } as const;
const CODE_OF_STATUS = { active: 'A', committed: 'C', released: 'R' } as const;

interface ReservationRow {
  readonly RSV_NO: string;
  readonly ORD_NO: string;
  readonly STAT_CD: keyof typeof STATUS_OF_CODE;
  readonly CRT_TS: string;
}

export async function findReservation(
  connection: Knex,
  id: string,
): Promise<Reservation | undefined> {
  const row = await connection('INV_RSV').where({ RSV_NO: id }).first();
  return row && present(connection, row as ReservationRow);
}

async function present(connection: Knex, row: ReservationRow): Promise<Reservation> {
  const { RSV_NO: id } = row;
  // They never change.
  const items = (await connection('INV_RSV_LIN')
    .where({ RSV_NO: id })
    .select({ sku: 'SKU_CD', quantity: 'QTY' })) as Line[];
  return {
    id,
    orderId: row.ORD_NO,
    status: STATUS_OF_CODE[row.STAT_CD],
    items: items.toSorted(bySku),
    createdAt: timestampToIso(row.CRT_TS),
  };
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
  const earlier = (await trx('INV_RSV').where({ ORD_NO: orderId }).first('RSV_NO')) as
    Pick<ReservationRow, 'RSV_NO'> | undefined;
  if (earlier) return refused(refuse(alreadyReserved(orderId, earlier.RSV_NO)), earlier.RSV_NO);
  const skus = items.map(({ sku }) => sku);
  const levels = await holdLevels(trx, skus);
  const unknown = skus.filter((sku) => !levels.has(sku));
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
  await trx('INV_RSV').insert({
    RSV_NO: id,
    ORD_NO: orderId,
    STAT_CD: CODE_OF_STATUS.active,
    CRT_TS: toTimestamp(now),
    UPD_TS: toTimestamp(now),
  });
  for (const { sku, quantity } of lines) {
    await trx('INV_RSV_LIN').insert({ RSV_NO: id, SKU_CD: sku, QTY: quantity });
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
  const giveBack: (quantity: number) => StockChange =
    reservation.status === 'active'
      ? (quantity) => ({ reserved: -quantity })
      : (quantity) => ({ onHand: quantity });
  const released = await move(trx, reservation, 'released', now, giveBack);
  return { ...released, event: reservationEvent('StockReleased', reservation) };
}

/** A reservation, kept from others until the transaction ends. */
async function mustHold(trx: Transaction, id: string): Promise<Reservation> {
  const row = await trx('INV_RSV').where({ RSV_NO: id }).forUpdate().first();
  if (!row) throw notFound('reservation', id);
  return present(trx, row as ReservationRow);
}

function refused(problem: Problem, resourceId: string | null = null): Effect {
  return { answer: keptRefusal(problem), resourceId };
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
  await trx('INV_RSV')
    .where({ RSV_NO: reservation.id })
    .update({ STAT_CD: CODE_OF_STATUS[status], UPD_TS: toTimestamp(now) });
  const skus = reservation.items.map(({ sku }) => sku);
  await holdLevels(trx, skus);
  for (const { sku, quantity } of reservation.items) {
    await changeStock(trx, sku, changeOf(quantity), now);
  }
  return unchanged({ ...reservation, status });
}
