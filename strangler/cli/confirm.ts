export { confirmed } from '../../chassis/cli/index.ts';
export type { Intent } from '../../chassis/cli/index.ts';
