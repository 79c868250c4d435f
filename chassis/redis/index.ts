/** Connections to Redis. This folder stands apart so that only a process that opens one loads the client. */
export * from './connection.ts';
export * from './probe.ts';
export { BEAT_MS, servicesKey, sealEntry, unsealEntry } from './service-entry.ts';
export type { ServiceEntry } from './service-entry.ts';
