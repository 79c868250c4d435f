/**
 * Who wrote to one capability and may not be shown the other side yet.
 *
 * A note is stamped with the number of barriers begun so far. A barrier that begins later, and is
 * answered, proves that everything answered before it began has reached the other side: it settles
 * all older notes. A customer whose write is under way is unsettled until it is answered. Nobody is
 * settled before the first barrier, since writes of an earlier facade may still be on their way.
 */
export class UnreplicatedWrites {
  /** Grows with each write that begins or ends. */
  changes = 0;
  readonly #limit: number;
  /** Newest last, so that settling takes from the front. */
  readonly #unreplicated = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  #begun = 0;
  #settled = 0;
  /** Whoever has no note counts as having written at this stamp. */
  #floor = 0;

  /** @param limit how many notes are kept; beyond it the oldest customers share one */
  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  /** A write is sent. Must be followed by one `end`. */
  begin(customer: string): void {
    this.changes += 1;
    this.#underWay.set(customer, (this.#underWay.get(customer) ?? 0) + 1);
  }

  /** A write was answered, or nobody will ever know what became of it. */
  end(customer: string): void {
    this.changes += 1;
    const count = (this.#underWay.get(customer) ?? 0) - 1;
    if (count > 0) this.#underWay.set(customer, count);
    else this.#underWay.delete(customer);
    this.#unreplicated.delete(customer);
    this.#unreplicated.set(customer, this.#begun);
    if (this.#unreplicated.size > this.#limit) this.#forgetOldest();
  }

  /** @param hasReplica without one, a write that was answered is everywhere */
  isSettled(customer: string, hasReplica = true): boolean {
    if (this.#underWay.size > 0 && this.#underWay.has(customer)) return false;
    return !hasReplica || (this.#unreplicated.get(customer) ?? this.#floor) < this.#settled;
  }

  get hasUnsettled(): boolean {
    return this.#unreplicated.size > 0 || this.#floor >= this.#settled;
  }

  get size(): number {
    return this.#unreplicated.size;
  }

  /** @returns the barrier's number, for `settle` once it is answered */
  beginBarrier(): number {
    this.#begun += 1;
    return this.#begun;
  }

  settle(barrier: number): void {
    this.#settled = Math.max(this.#settled, barrier);
    for (const [customer, stamp] of this.#unreplicated) {
      if (stamp >= this.#settled) break;
      this.#unreplicated.delete(customer);
    }
  }

  #forgetOldest(): void {
    for (const [customer, stamp] of this.#unreplicated) {
      this.#unreplicated.delete(customer);
      this.#floor = Math.max(this.#floor, stamp);
      break;
    }
  }
}
