import { setTimeout as delay } from 'node:timers/promises';
import { isBefore, invalidRequest } from '../../chassis/index.ts';
import type { Knex, Place } from '../../chassis/index.ts';

/** An event of an order that a reader wants to see the effect of. */
export interface Wanted {
  readonly orderId: string;
  readonly place: Place;
}

const POSITION = /^orders\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})@(\d{1,9})\.(\d{1,15})$/;
const WAIT = /(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])/;
const WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5_000;
const LOOK_EVERY_MS = 20;

/**
 * Reads `event-position`, as writes give it; several are separated by commas.
 * @throws Problem 400 for what is none
 */
export function wantedOf(header: string | undefined): readonly Wanted[] {
  if (!header) return [];
  return header.split(',').map((part) => {
    const [, orderId, epoch, sequence] = POSITION.exec(part.trim()) ?? [];
    if (orderId === undefined) {
      throw invalidRequest([
        {
          field: 'event-position',
          value: part.slice(0, 100),
          message: 'is not a position',
          remedy: 'send back what a write has answered in event-position, or leave it out',
        },
      ]);
    }
    return { orderId, place: { epoch: Number(epoch), sequence: Number(sequence) } };
  });
}

/** How long a reader is ready to wait, in ms: `Prefer: wait=SECONDS` (RFC 7240), five seconds at most. */
export function waitOf(prefer: string | undefined): number {
  const [, seconds] = WAIT.exec(prefer ?? '') ?? [];
  return seconds === undefined ? WAIT_MS : Math.min(LONGEST_WAIT_MS, Number(seconds) * 1_000);
}

/**
 * Waits until these events are in a generation.
 * @returns whether one is not after `ms`
 */
export async function isBehind(
  connection: Knex,
  generation: () => Promise<number>,
  wanted: readonly Wanted[],
  ms: number,
): Promise<boolean> {
  if (wanted.length === 0) return false;
  const deadline = performance.now() + ms;
  for (;;) {
    const missing = await isMissing(connection, await generation(), wanted);
    if (!missing || performance.now() >= deadline) return missing;
    await delay(LOOK_EVERY_MS);
  }
}

async function isMissing(
  connection: Knex,
  generation: number,
  wanted: readonly Wanted[],
): Promise<boolean> {
  const ids = wanted.map(({ orderId }) => orderId);
  const rows = (await connection('order_rows')
    .where({ generation })
    .whereIn('order_id', ids)
    .select('order_id', 'epoch', 'sequence')) as (Place & { order_id: string })[];
  return wanted.some(({ orderId, place }) => {
    const row = rows.find(({ order_id: id }) => id === orderId);
    return !row || isBefore(row, place);
  });
}

/** The last event of each source that is in a generation. */
export async function positionOf(connection: Knex, generation: number): Promise<string> {
  const rows = (await connection('source_rows')
    .where({ generation })
    .orderBy('source')) as (Place & { source: string })[];
  return rows
    .map(({ source, epoch, sequence }) => `${source.slice(1)}@${epoch}.${sequence}`)
    .join(' ');
}
