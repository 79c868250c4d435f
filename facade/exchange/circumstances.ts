import type { Memory } from './core.ts';
import type { Routes } from '../routes/index.ts';
import type { Circumstances } from '../decision/index.ts';

/** What decides, as it is now. */
export function circumstancesOf(routes: Routes, memory: Memory): Circumstances {
  const { flags, book, notes, feed } = memory;
  return {
    routes,
    flags,
    ownership: (capability, key) => book.of(capability, key),
    isSplit: (capability) => book.isSplit(capability),
    isApart: (capability, key) => key !== undefined && book.isApart(capability, key),
    isSettled: (capability, customer) => notes[capability.index]?.isSettled(customer) ?? false,
    newsIsPushed: () => feed.live,
  };
}
