import type { Lag } from '../handover/lag.ts';

/** Where others write, they have lock and disk to themselves for this many times as long. */
const PAUSES = 8;
const PAUSE_MS = { least: 2, most: 15 } as const;
/** A feed keeps up whose oldest change waits for no longer; a handover allows for three times as much. */
const KEEPS_UP_MS = 300;
/** What lies behind is to be worked off in this time. */
const CATCHES_UP_MS = 60_000;
/** How often to look whether it will be, in ms. */
const LOOK_MS = 1_000;
/** With so much haste the applier takes what it takes where it is alone. */
const MOST_HASTE = 16;

/**
 * How much an applier leaves to those who write beside it. It gives way to them as long as it keeps up: one that
 * falls further and further behind their writes could never hand anything over. So with each look that finds no end
 * of it the applier takes twice as much, and gives that back when it has caught up.
 */
export class Courtesy {
  #haste = 1;
  #lookedAt: number;
  #behind = 0;

  /** @param now by any clock that never goes back, in ms, as all that follow */
  constructor(now: number) {
    this.#lookedAt = now;
  }

  /** How many times as long a transaction may be, and how many times as short a pause: from 1 to 16. */
  get haste(): number {
    return this.#haste;
  }

  /** Whether it is time to look how far the feed is behind. */
  isDue(now: number): boolean {
    return now - this.#lookedAt >= LOOK_MS;
  }

  look({ changes, ms }: Lag, now: number): void {
    const caughtUp = (this.#behind - changes) / (now - this.#lookedAt);
    if (ms < KEEPS_UP_MS) this.#haste = Math.max(1, this.#haste / 2);
    else if (changes > caughtUp * CATCHES_UP_MS)
      this.#haste = Math.min(MOST_HASTE, this.#haste * 2);
    this.#lookedAt = now;
    this.#behind = changes;
  }

  /** @param heldMs how long lock and disk were kept from the others */
  pauseMs(heldMs: number): number {
    const ms = Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, PAUSES * heldMs));
    return ms / this.#haste;
  }
}
