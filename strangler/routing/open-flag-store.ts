import type { Environment } from '../../chassis/index.ts';
import { flagFileStore } from './flag-store.ts';
import type { FlagStore } from './flag-store.ts';
import { flagsFile } from './flags.ts';
import { unleashAdmin } from './unleash-admin.ts';

/**
 * Opens what keeps the flags for changing them; a missing flag file is made.
 * @returns undefined where an Unleash server keeps them, and nobody gave UNLEASH_ADMIN_TOKEN
 */
export function openFlagStore(
  env: Environment,
  capabilities: readonly string[],
): FlagStore | undefined {
  if (env['UNLEASH_URL']) return unleashAdmin(env);
  return flagFileStore(flagsFile(env), capabilities);
}
