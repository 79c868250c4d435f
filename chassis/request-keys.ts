import { createKeyStore } from './idempotency.ts';
import type { KeyStore, KeyTable } from './idempotency.ts';

const keys: KeyTable = {
  table: 'request_keys',
  columns: {
    key: 'key',
    hash: 'request_hash',
    state: 'state',
    attemptId: 'attempt_id',
    leaseUntil: 'lease_until',
    resourceId: 'resource_id',
    status: 'response_status',
    body: 'response_body',
    createdAt: 'created_at',
  },
  states: { inFlight: 'in_flight', done: 'done' },
  formatTime: (ms) => ms,
};

/** The idempotency keys of a service whose schema is its own: in a table named `request_keys`. */
export const requestKeys: KeyStore = createKeyStore(keys);

/**
 * The same where each key is somebody's.
 * @param cohortKey the column that says whose
 */
export function requestKeysOf(cohortKey: string): KeyStore {
  return createKeyStore({ ...keys, columns: { ...keys.columns, cohortKey } });
}
