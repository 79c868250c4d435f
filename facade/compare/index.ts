/** Shadowing: asking the other side too, and comparing both answers. */
export { Experiments } from './experiment.ts';
export type { Findings } from './findings.ts';
