import type { Migration } from '../chassis/index.ts';
import { inventoryMigrations } from '../migrations/inventory/index.ts';
import { monolithMigrations } from '../migrations/monolith/index.ts';
import { notificationMigrations } from '../migrations/notification/index.ts';
import { orderViewMigrations } from '../migrations/order-view/index.ts';
import { paymentMigrations } from '../migrations/payment/index.ts';
import { providerMigrations } from '../migrations/provider/index.ts';
import { compiled, engineProcess, facadeProcess } from '../supervisor/index.ts';
import type { ProcessDefinition } from '../supervisor/index.ts';

/** A process's database: the variable, the file in the data folder when that is unset, its schema. */
export interface DatabaseDefinition {
  readonly variable: string;
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** A process of the shop. */
export interface ShopProcess extends ProcessDefinition {
  readonly database?: DatabaseDefinition;
}

/** A young generation of 1 MB instead of 16: a process that waits for events most of the time takes 15 MB less. */
const SMALL = ['--max-semi-space-size=1'];

/** The processes of `npm start`, in the order in which they start; each knows those before it. */
export const figProcesses: readonly ShopProcess[] = [
  {
    name: 'provider',
    entry: compiled('extracted/provider/main.js'),
    ports: [{ key: 'http', variable: 'PROVIDER_PORT', fallback: 4010 }],
    urlVariable: 'PROVIDER_URL',
    database: {
      variable: 'PROVIDER_DATABASE_URL',
      file: 'provider.db',
      migrations: providerMigrations,
    },
  },
  {
    name: 'inventory',
    entry: compiled('extracted/inventory/main.js'),
    ports: [{ key: 'http', variable: 'INVENTORY_PORT', fallback: 4001 }],
    urlVariable: 'INVENTORY_URL',
    database: {
      variable: 'INVENTORY_DATABASE_URL',
      file: 'inventory.db',
      migrations: inventoryMigrations,
    },
  },
  {
    name: 'payment',
    entry: compiled('extracted/payment/main.js'),
    ports: [{ key: 'http', variable: 'PAYMENT_PORT', fallback: 4002 }],
    urlVariable: 'PAYMENT_URL',
    database: {
      variable: 'PAYMENT_DATABASE_URL',
      file: 'payment.db',
      migrations: paymentMigrations,
    },
  },
  {
    name: 'notification',
    entry: compiled('extracted/notification/main.js'),
    ports: [{ key: 'http', variable: 'NOTIFICATION_PORT', fallback: 4004 }],
    urlVariable: 'NOTIFICATION_URL',
    database: {
      variable: 'NOTIFICATION_DATABASE_URL',
      file: 'notification.db',
      migrations: notificationMigrations,
    },
    nodeFlags: SMALL,
    beside: true,
  },
  {
    name: 'monolith',
    entry: compiled('monolith/main.js'),
    ports: [{ key: 'http', variable: 'MONOLITH_PORT', fallback: 4000 }],
    urlVariable: 'MONOLITH_URL',
    database: {
      variable: 'MONOLITH_DATABASE_URL',
      file: 'monolith.db',
      migrations: monolithMigrations,
    },
  },
  {
    name: 'order-view',
    entry: compiled('extracted/order-view/main.js'),
    ports: [{ key: 'http', variable: 'ORDER_VIEW_PORT', fallback: 4005 }],
    urlVariable: 'ORDER_VIEW_URL',
    database: {
      variable: 'ORDER_VIEW_DATABASE_URL',
      file: 'order-view.db',
      migrations: orderViewMigrations,
    },
    nodeFlags: SMALL,
    beside: true,
  },
  engineProcess,
  { ...facadeProcess, last: true },
];
