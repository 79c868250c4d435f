import type { Migration } from '../../chassis/index.ts';
import { ledger } from './0001-ledger.ts';

/** The sandbox card processor's own ledger. */
export const providerMigrations: readonly Migration[] = [ledger];
