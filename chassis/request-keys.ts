import { createKeyStore } from './idempotency.ts';
import type { KeyStore } from './idempotency.ts';

/** The idempotency keys of a service whose schema is its own: in a table named `request_keys`. */
export const requestKeys: KeyStore = createKeyStore({
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
});
