import { plural } from './format.ts';

/** There may be thousands. */
const SHOWN = 10;

/** How many customers, and the first of them by name. */
export function keysText(keys: readonly string[]): string {
  const shown = keys.slice(0, SHOWN).join(', ');
  const more = keys.length - SHOWN;
  return `${plural(keys.length, 'customer')}${keys.length === 0 ? '' : `: ${shown}`}${more > 0 ? `, and ${more} more` : ''}`;
}
