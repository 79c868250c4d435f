import type { Environment } from '../chassis/index.ts';
import { flagFileStore } from './flag-store.ts';
import type { FlagStore } from './flag-store.ts';
import { flagsFile } from './flags.ts';
import { unleashAdmin } from './unleash-admin.ts';

/**
 * Opens what keeps the flags for changing them.
 * @returns undefined where an Unleash server keeps them, and nobody gave UNLEASH_ADMIN_TOKEN
 */
export function openFlagStore(env: Environment): FlagStore | undefined {
  return env['UNLEASH_URL'] ? unleashAdmin(env) : flagFileStore(flagsFile(env));
}
