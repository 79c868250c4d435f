import Database from 'better-sqlite3';
import { sqliteFile } from '../../chassis/index.ts';

/**
 * Leaves an event in a monolith's database that shipping has failed to take five times.
 * @returns the dead letter's id
 */
export function giveUpEvent(databaseUrl: string): string {
  const id = '01900000-0000-7000-8000-000000000001';
  const data = { orderId: 'o-1', customerId: 'CORK' };
  const event = { id, type: 'OrderConfirmed', version: 1, aggregateId: 'o-1', data };
  const database = new Database(sqliteFile(databaseUrl));
  try {
    database.transaction(() => {
      database
        .prepare('INSERT INTO EVT_FAIL VALUES (?, ?, 5, ?, ?)')
        .run('shipping', id, 'no address', Date.now());
      database
        .prepare('INSERT INTO EVT_OUTBOX (EVT_ID, EVT_TXT, CRT_TS) VALUES (?, ?, ?)')
        .run(id, JSON.stringify(event), '2026-01-01 00:00:00.000');
    })();
  } finally {
    database.close();
  }
  return `shipping:${id}`;
}
