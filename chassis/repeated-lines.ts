const WINDOW_MS = 10_000;
const AT_MOST = 5;
const KINDS_AT_MOST = 1_000;

interface Kind {
  since: number;
  shown: number;
  left: number;
}

/**
 * Counts log lines that say the same: a full disk or a database that is away must not fill the log as
 * well, with one line a request.
 */
export class RepeatedLines {
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();

  /** @param now milliseconds that only grow */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param says what such lines have in common
   * @returns undefined where the line is left out, as the sixth in ten seconds is; else how many were
   *   left out since the last one
   */
  admit(says: string): number | undefined {
    const now = this.#now();
    let kind = this.#kinds.get(says);
    if (kind === undefined || now - kind.since >= WINDOW_MS) {
      const left = kind?.left ?? 0;
      if (this.#kinds.size >= KINDS_AT_MOST) this.#kinds.clear();
      kind = { since: now, shown: 1, left: 0 };
      this.#kinds.set(says, kind);
      return left;
    }
    if (kind.shown < AT_MOST) {
      kind.shown += 1;
      return 0;
    }
    kind.left += 1;
    return undefined;
  }
}
