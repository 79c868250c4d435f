import type { SideName } from '../../../routing/side.ts';

/** What the flags ask for, as seen at one moment. */
export interface Wish {
  readonly to: SideName;
  /** Counts the times the flag was turned: the same wish asked for again is another wish. */
  readonly turn: number;
}

/**
 * Follows a capability's `writes` flag. A wish whose handover was taken back is spent until the
 * flag is turned again, so that nothing flaps.
 */
export class Intent {
  #wish: Wish | undefined;
  #spent: string | undefined;

  /** Notes what the flag says now. */
  see(to: SideName): Wish {
    if (this.#wish?.to !== to) {
      this.#wish = { to, turn: (this.#wish?.turn ?? 0) + 1 };
      this.#spent = undefined;
    }
    return this.#wish;
  }

  /** The wish was tried and taken back: not again by itself. */
  spend(wish: Wish, reason: string): void {
    if (wish.turn === this.#wish?.turn) this.#spent = reason;
  }

  /** Somebody asks for it in person: it counts again. */
  renew(): void {
    this.#spent = undefined;
  }

  /** Why the present wish is not tried any more; undefined while it is. */
  get spent(): string | undefined {
    return this.#spent;
  }
}
