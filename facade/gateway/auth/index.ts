/** Who sends a request, and whether that caller may. */
export { Authentication } from './authentication.ts';
export { IdentityKey } from './identity-key.ts';
