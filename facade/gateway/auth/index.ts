/** Identifies callers, and checks what they may do. */
export { Authentication } from './authentication.ts';
export { IdentityKey } from './identity-key.ts';
