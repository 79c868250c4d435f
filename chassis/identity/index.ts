/** The caller's identity: the facade signs it, services check it. */
export { IDENTITY_HEADER, openIdentityCheck } from './identity-check.ts';
export type { Caller, IdentityCheck } from './identity-check.ts';
