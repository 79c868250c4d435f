import { createKeyStore } from '../../chassis/index.ts';
import type { KeyStore } from '../../chassis/index.ts';
import { toTimestamp } from './timestamp.ts';

/**
 * The idempotency keys of one module, in its table of the legacy form.
 * @param cohortKey the column that says whose a key is, where the table has one
 */
export function createLegacyKeys(
  table: 'INV_IDEM' | 'PAY_IDEM' | 'ORD_IDEM',
  cohortKey?: 'CUST_NO',
): KeyStore {
  return createKeyStore({
    table,
    columns: {
      key: 'IDEM_KEY',
      hash: 'REQ_HASH',
      state: 'STATE_CD',
      attemptId: 'ATT_ID',
      leaseUntil: 'LEASE_TS',
      resourceId: 'RES_ID',
      status: 'HTTP_STAT',
      body: 'RESP_TXT',
      createdAt: 'CRT_TS',
      ...(cohortKey === undefined ? {} : { cohortKey }),
    },
    states: { inFlight: 'I', done: 'D' },
    formatTime: toTimestamp,
  });
}
