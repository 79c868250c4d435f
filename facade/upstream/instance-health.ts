/** An instance gets no requests after so many failures in a row. */
const FAILURES_IN_ROW = 5;
/** For how long the first time; for each further time in a row, as long again. */
const EJECTED_MS = 5_000;
const LONGEST_MS = 60_000;

/** How one instance of an upstream does: after Envoy's outlier detection by consecutive failures. */
export class InstanceHealth {
  /** Its ejections without a good answer in between. */
  ejections = 0;
  #failures = 0;
  #ejectedUntil = -Infinity;

  /** @param now in ms, of a clock that only goes forward */
  isEjected(now: number): boolean {
    return now < this.#ejectedUntil;
  }

  /** It has answered as one that is well does. */
  well(): void {
    this.#failures = 0;
    this.ejections = 0;
  }

  /**
   * It has failed, or has answered with a server error.
   * @param isGone whether no process listens there: one failure is proof enough
   */
  ill(now: number, isGone: boolean): void {
    this.#failures += 1;
    if (this.#failures < FAILURES_IN_ROW && !isGone) return;
    this.#failures = 0;
    this.ejections += 1;
    this.#ejectedUntil = now + Math.min(this.ejections * EJECTED_MS, LONGEST_MS);
  }
}
