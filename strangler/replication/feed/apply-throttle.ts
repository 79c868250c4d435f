import type { Lag } from '../../ownership/handover/lag.ts';

/** Other writers have lock and disk to themselves for this many times as long as the applier held them. */
const PAUSES = 8;
const PAUSE_MS = { least: 2, most: 15 } as const;
/** An applier keeps up while the oldest change waits for no longer, in ms; a handover allows for three times as much. */
const KEEPS_UP_MS = 300;
/** The applier is to have caught up in this time, in ms. */
const CATCHES_UP_MS = 60_000;
/** How often to look whether it will be, in ms. */
const LOOK_MS = 1_000;
/** With so much the applier takes what it takes where no other process writes. */
const MOST_SPEEDUP = 16;

/**
 * How much lock and disk time an applier leaves to the business's writers. It gives way to them as long as it keeps
 * up: with an applier that falls further and further behind, no handover would ever be allowed. So each look that
 * finds no end of the lag doubles the applier's share, and each look that finds it caught up halves it again.
 */
export class ApplyThrottle {
  #speedup = 1;
  #lookedAt: number;
  /** Changes at the last look; undefined before the first, which shows no trend. */
  #behind: number | undefined;

  /** @param now by any clock that never goes back, in ms, as all that follow */
  constructor(now: number) {
    this.#lookedAt = now;
  }

  /** How many times as long a transaction may be, and how many times as short a pause: from 1 to 16. */
  get speedup(): number {
    return this.#speedup;
  }

  /** Whether it is time to look how far the feed is behind. */
  isDue(now: number): boolean {
    return now - this.#lookedAt >= LOOK_MS;
  }

  /** @param lag what the feed holds beyond the applied position */
  observe({ changes, ms }: Lag, now: number): void {
    const caughtUp =
      this.#behind === undefined ? undefined : (this.#behind - changes) / (now - this.#lookedAt);
    if (ms < KEEPS_UP_MS) this.#speedup = Math.max(1, this.#speedup / 2);
    else if (caughtUp !== undefined && changes > caughtUp * CATCHES_UP_MS)
      this.#speedup = Math.min(MOST_SPEEDUP, this.#speedup * 2);
    this.#lookedAt = now;
    this.#behind = changes;
  }

  /** @param heldMs how long the applier kept lock and disk */
  pauseMs(heldMs: number): number {
    const ms = Math.min(PAUSE_MS.most, Math.max(PAUSE_MS.least, PAUSES * heldMs));
    return ms / this.#speedup;
  }
}
