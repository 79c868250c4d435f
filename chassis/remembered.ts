/** What was found out for some time, with a bound on how much is kept; the oldest goes first. */
export class Remembered<T> {
  readonly #most: number;
  readonly #known = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): T | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (known.until > Date.now()) return known.value;
    this.#known.delete(key);
    return undefined;
  }

  /** @param until in ms since 1970 */
  set(key: string, value: T, until: number): void {
    this.#known.delete(key);
    this.#known.set(key, { value, until });
    if (this.#known.size <= this.#most) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  delete(key: string): void {
    this.#known.delete(key);
  }
}
