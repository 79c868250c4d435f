/** Whether a service keeps the protocol of docs/your-service.md, as far as can be seen from outside. */
export { runConformance } from './conformance.ts';
export type { CheckResult, TestSystem } from './conformance.ts';
export { parseSample, SampleError } from './sample.ts';
export type { ScratchDatabase } from './scratch.ts';
export { Service } from './service.ts';
