import type { Migration } from '../chassis/index.ts';
import { inventoryMigrations } from '../migrations/inventory/index.ts';
import { monolithMigrations } from '../migrations/monolith/index.ts';
import { paymentMigrations } from '../migrations/payment/index.ts';
import { providerMigrations } from '../migrations/provider/index.ts';
import { compiled } from './project.ts';

/** A port that a process opens: what it is for, the variable that sets it, and its default. */
export interface PortDefinition {
  readonly key: 'http' | 'admin';
  readonly variable: string;
  readonly fallback: number;
}

/** A process's database: the variable, the file in the data folder when that is unset, its schema. */
export interface DatabaseDefinition {
  readonly variable: string;
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** One Node process of the system, as the supervisor needs to know it. */
export interface ProcessDefinition {
  readonly name: string;
  /** Absolute path of the compiled main file. */
  readonly entry: string;
  /** The first one is the one that others call, and that answers `/readyz`. */
  readonly ports: readonly [PortDefinition, ...PortDefinition[]];
  /** The variable by which other processes learn this one's address. */
  readonly urlVariable: string;
  readonly database?: DatabaseDefinition;
}

/** The processes of `npm start`, in the order in which they start; each knows those before it. */
export const figProcesses: readonly ProcessDefinition[] = [
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
    name: 'engine',
    entry: compiled('strangler/main.js'),
    ports: [{ key: 'http', variable: 'ENGINE_PORT', fallback: 4003 }],
    urlVariable: 'ENGINE_URL',
  },
  {
    name: 'facade',
    entry: compiled('facade/main.js'),
    ports: [
      { key: 'http', variable: 'FACADE_PORT', fallback: 8080 },
      { key: 'admin', variable: 'ADMIN_PORT', fallback: 8081 },
    ],
    urlVariable: 'FACADE_URL',
  },
];
