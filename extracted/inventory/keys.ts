import { createKeyStore } from '../../chassis/index.ts';

/** This service's idempotency keys. */
export const requestKeys = createKeyStore({
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
