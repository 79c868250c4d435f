export { createOutput, paintFor } from '../../chassis/cli/index.ts';
export type { Output, OutputOptions, Paint, Surroundings } from '../../chassis/cli/index.ts';
