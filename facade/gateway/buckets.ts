/** More clients than that are not kept: what the oldest has used is then known to Redis alone. */
const MOST = 100_000;

/** What one client has used of a limit in the window under way. */
export interface Bucket {
  /** Names limit and client, the same in all processes. */
  readonly key: string;
  readonly windowMs: number;
  /** Requests, those of other processes included as far as they are known. */
  used: number;
  /** When the window ends, by `performance.now()`. */
  endsAt: number;
  /** Requests that other processes can't know of yet: not sent to Redis, or sent and not confirmed. */
  unsent: number;
  unconfirmed: number;
}

/**
 * The buckets of one limit: a window begins with its first request and then lasts as long as the limit says.
 */
export class Buckets {
  readonly #prefix: string;
  readonly #windowMs: number;
  /** The one that began first comes first. */
  readonly #byClient = new Map<string, Bucket>();

  /** @param prefix of the keys: names the limit and its window */
  constructor(prefix: string, windowMs: number) {
    this.#prefix = prefix;
    this.#windowMs = windowMs;
  }

  get size(): number {
    return this.#byClient.size;
  }

  of(client: string, now: number): Bucket {
    const known = this.#byClient.get(client);
    if (known && now < known.endsAt) return known;
    const bucket: Bucket = {
      key: `${this.#prefix}:${client}`,
      windowMs: this.#windowMs,
      used: 0,
      endsAt: now + this.#windowMs,
      unsent: 0,
      unconfirmed: 0,
    };
    this.#byClient.delete(client);
    this.#byClient.set(client, bucket);
    this.#forgetOldest(now);
    return bucket;
  }

  /** Two at most for each new one: so ended buckets never pile up, and no request waits for a sweep. */
  #forgetOldest(now: number): void {
    let looks = 0;
    for (const [client, { endsAt }] of this.#byClient) {
      looks += 1;
      if (looks > 2 || (endsAt > now && this.#byClient.size <= MOST)) return;
      this.#byClient.delete(client);
    }
  }
}
