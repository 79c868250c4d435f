export { buildProvider } from './app.ts';
export type { Statement, Totals } from './ledger.ts';
export type { Charge, Refund } from './schemas.ts';
