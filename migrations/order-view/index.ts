import type { Migration } from '../../chassis/index.ts';
import { orders } from './0001-orders.ts';

/** The order view's schema, oldest change first. */
export const orderViewMigrations: readonly Migration[] = [orders];
