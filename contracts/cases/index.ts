import { idempotencyCases } from './idempotency-cases.ts';
import { reservationCases, stockCases } from './inventory-cases.ts';
import { catalogueCases, orderCases } from './order-cases.ts';
import { paymentCases } from './payment-cases.ts';
import { protocolCases } from './protocol-cases.ts';
import type { ContractCase } from './run.ts';

/** The contract as cases that any target can be held to, and a comparer of two targets' answers. */
export const CASES: readonly ContractCase[] = [
  ...stockCases,
  ...reservationCases,
  ...paymentCases,
  ...idempotencyCases,
  ...catalogueCases,
  ...orderCases,
  ...protocolCases,
];

export type { RawAnswer } from './answer.ts';
export { ask } from './ask.ts';
export { compareRuns } from './compare.ts';
export type { Comparison, Difference } from './compare.ts';
export { EXCEPTIONS } from './exceptions.ts';
export { reportText } from './report.ts';
export { runCase, runCases } from './run.ts';
export type { CaseRun, ContractCase, TargetRun } from './run.ts';
export type { Area, Exchange, Target } from './target.ts';
export { WORLD } from './world.ts';
