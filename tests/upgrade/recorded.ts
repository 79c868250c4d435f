import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import type { Dialect } from '../../chassis/index.ts';

/** Where data that earlier builds have written is kept: one folder a build, one in it each moment. */
export const FIXTURES = join(projectRoot, 'tests', 'upgrade', 'fixtures');

/** The moments at which data is recorded. */
export const MOMENTS = ['idle', 'closed', 'ceded'] as const;

/**
 * `idle`: stopped in order, inventory moved. `closed`: killed while the owner's fence is closed and its
 * last changes are not applied. `ceded`: killed after the commit point, before the new owner opened.
 */
export type Moment = (typeof MOMENTS)[number];

/** What is known of recorded data beside the data itself. */
export interface Facts {
  readonly dialect: Dialect;
  readonly moment: Moment;
  /** Orders that clients were told of in full, by the key they gave. */
  readonly orders: Readonly<Record<string, { readonly id: string; readonly status: string }>>;
  /** Keys of orders that clients were never told of: killed on the way. */
  readonly inFlight: readonly string[];
  /** Units of each SKU before the first order, with all adjustments that were answered. */
  readonly units: Readonly<Record<string, number>>;
  /** A payment whose time nobody can read, and what it said before. */
  readonly damaged: { readonly payment: string; readonly createdAt: string };
}

/** The databases of a system: the variable that names each, and its file in a data folder. */
export const DATABASES = ['monolith', 'inventory', 'payment', 'provider'] as const;

export function variableOf(database: string): string {
  return `${database.toUpperCase()}_DATABASE_URL`;
}
