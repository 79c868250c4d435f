export { ago, stepsText, table } from '../../chassis/cli/index.ts';
