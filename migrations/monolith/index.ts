import type { Migration } from '../../chassis/index.ts';
import { catalogueAndCustomers } from './0001-catalogue-and-customers.ts';
import { deadLetters } from './0007-dead-letters.ts';
import { eventStreams } from './0011-event-streams.ts';
import { events } from './0005-events.ts';
import { inventory } from './0002-inventory.ts';
import { orders } from './0004-orders.ts';
import { payment } from './0003-payment.ts';
import { paymentCustomers } from './0006-payment-customers.ts';
import { shipped } from './0012-shipped.ts';
import { refusedSince } from './0008-refused-since.ts';
import { sagas } from './0010-sagas.ts';

/** The legacy order system's schema, oldest change first. */
export const monolithMigrations: readonly Migration[] = [
  catalogueAndCustomers,
  inventory,
  payment,
  orders,
  events,
  paymentCustomers,
  deadLetters,
  refusedSince,
  sagas,
  eventStreams,
  shipped,
];
