import { plural, someOf } from '../wording.ts';

/** How many customers, and the first of them by name. */
export function keysText(keys: readonly string[]): string {
  const count = plural(keys.length, 'customer');
  return keys.length === 0 ? count : `${count}: ${someOf(keys)}`;
}
