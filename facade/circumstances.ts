import type { Core } from './core.ts';
import type { Circumstances } from './decision.ts';

/** What decides, as it is now. */
export function circumstancesOf({ routes, flags, book, notes }: Core): Circumstances {
  return {
    routes,
    flags,
    ownership: (capability) => book.of(capability),
    isSettled: (capability, customer) => notes[capability.index]?.isSettled(customer) ?? false,
  };
}
