import type { Migration } from '../../chassis/index.ts';
import { customers } from './0003-customers.ts';
import { events } from './0004-events.ts';
import { payments } from './0001-payments.ts';
import { requestKeys } from './0002-request-keys.ts';

/** The payment service's schema, oldest change first. */
export const paymentMigrations: readonly Migration[] = [payments, requestKeys, customers, events];
