/** Rehearses a whole migration under live orders, and judges it. */
export type { Dataset } from './dataset.ts';
export { flipFlags } from './flip-flags.ts';
export { generateDataset } from './generate.ts';
export { createOperator } from './operator.ts';
export { createProgress } from './progress.ts';
export { createRandom } from './random.ts';
export { readDataset } from './read-dataset.ts';
export { rehearse } from './rehearse.ts';
export type { RehearsalOptions } from './rehearse.ts';
export { replay } from './replay.ts';
export type { HandoverReport, Report } from './report.ts';
