export { startTelemetry } from './start.ts';
