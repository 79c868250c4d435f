/** How the legacy schema writes what the rest of the world writes otherwise. */
export { toDecimal, toMinor } from './decimal.ts';
export { createLegacyKeys } from './keys.ts';
export { timestampToIso, toTimestamp } from './timestamp.ts';
