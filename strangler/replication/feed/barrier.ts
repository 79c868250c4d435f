/** A position was not reached in time. */
export class BarrierTimeoutError extends Error {
  override readonly name = 'BarrierTimeoutError';
}

interface Waiter {
  readonly position: number;
  readonly resolve: () => void;
}

/** Lets others wait until a position has been applied. */
export class AppliedPositions {
  readonly #waiters = new Set<Waiter>();
  #position = -1;

  reached(position: number): void {
    this.#position = position;
    for (const waiter of this.#waiters) {
      if (waiter.position > position) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** @throws BarrierTimeoutError when `timeoutMs` pass before the position is reached */
  async waitFor(position: number, timeoutMs: number): Promise<void> {
    if (position <= this.#position) return;
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { position, resolve };
        this.#waiters.add(waiter);
        const late = new BarrierTimeoutError(
          `position ${position} was not applied in ${timeoutMs} ms`,
        );
        timer = setTimeout(() => reject(late), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }
}
