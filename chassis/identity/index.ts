/** Who sends a request: what the facade signs, and services check. */
export { IDENTITY_HEADER, openIdentityCheck } from './identity-check.ts';
export type { Caller, IdentityCheck } from './identity-check.ts';
