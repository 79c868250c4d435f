import { z } from 'zod';
import { auth } from './auth.ts';

export type { AuthConfig, AuthRule } from './auth.ts';

/** The patterns of the gateway, one setting each; a pattern without one is off and costs nothing. */
export const gateway = z.strictObject({
  auth: auth.optional(),
});
