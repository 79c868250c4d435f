export { CommandError, EXIT } from '../../chassis/cli/index.ts';
export type { ExitCode } from '../../chassis/cli/index.ts';
