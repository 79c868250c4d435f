import { enumeration, rename, timestamp } from '../strangler/mapping/index.ts';
import type { Codec, Pair } from '../strangler/mapping/index.ts';

/**
 * Idempotency keys and their answers: rows of the capability like any other, so that a request
 * that is sent again after a change of owner gets the answer it was given before.
 * @param legacyTable the module's own table of keys in the monolith
 * @param more what else it says of a request
 */
export function keyPair(legacyTable: string, more: readonly Codec[] = []): Pair {
  return {
    name: 'request_keys',
    legacy: { table: legacyTable },
    extracted: { table: 'request_keys' },
    key: [rename('IDEM_KEY', 'key')],
    columns: [
      rename('REQ_HASH', 'request_hash'),
      enumeration('STATE_CD', 'state', { I: 'in_flight', D: 'done' }),
      rename('ATT_ID', 'attempt_id'),
      rename('LEASE_TS', 'lease_until'),
      rename('RES_ID', 'resource_id'),
      rename('HTTP_STAT', 'response_status'),
      rename('RESP_TXT', 'response_body'),
      timestamp('CRT_TS', 'created_at'),
      ...more,
    ],
  };
}
