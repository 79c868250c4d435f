import { plural } from './format.ts';

/** There may be thousands. */
const SHOWN = 5;

/** The first of them by name, and how many more there are. */
export function someOf(keys: readonly string[]): string {
  const more = keys.length - SHOWN;
  return `${keys.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** How many customers, and the first of them by name. */
export function keysText(keys: readonly string[]): string {
  const count = plural(keys.length, 'customer');
  return keys.length === 0 ? count : `${count}: ${someOf(keys)}`;
}
