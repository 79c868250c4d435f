import { z } from 'zod';

/** Request headers of the contract. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, { error: 'must be 1 to 255 visible ASCII characters, no spaces' });

/** Names of the contract's headers, as Node writes them. */
export const HEADERS = {
  idempotencyKey: 'idempotency-key',
  attempt: 'x-fig-attempt',
  customer: 'x-customer-id',
  replayed: 'idempotent-replayed',
  retryAfter: 'retry-after',
  /** How far what a write has published has come; a read that sends it back sees the write. */
  eventPosition: 'event-position',
} as const;
