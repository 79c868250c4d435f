import type { Migration } from '../../chassis/index.ts';
import { events } from './0004-events.ts';
import { requestKeys } from './0003-request-keys.ts';
import { reservations } from './0002-reservations.ts';
import { stock } from './0001-stock.ts';

/** The inventory service's schema, oldest change first. */
export const inventoryMigrations: readonly Migration[] = [stock, reservations, requestKeys, events];
