import Database from 'better-sqlite3';
import { sqliteFile } from '../../chassis/index.ts';

/**
 * Leaves an event in a monolith's database that shipping has failed to take five times.
 * @returns the dead letter's id
 */
export function giveUpEvent(databaseUrl: string): string {
  const id = '01900000-0000-7000-8000-000000000001';
  const event = {
    specversion: '1.0',
    id,
    source: '/orders',
    type: 'OrderConfirmed',
    subject: 'o-1',
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: 'urn:shop:event:OrderConfirmed:1',
    dataversion: 1,
    epoch: 0,
    sequence: '0000000000000001',
    data: { orderId: 'o-1', customerId: 'CORK' },
  };
  const database = new Database(sqliteFile(databaseUrl));
  try {
    database
      .prepare('INSERT INTO event_failures VALUES (?, ?, ?, 5, ?, ?)')
      .run('shipping', id, JSON.stringify(event), 'no address', Date.now());
  } finally {
    database.close();
  }
  return `shipping:${id}`;
}
