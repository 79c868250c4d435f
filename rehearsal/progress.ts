/** What is going on right now, for the line a person watches. */
export interface Snapshot {
  readonly stage: string;
  readonly orders: string;
  readonly requests: number;
  readonly failed: number;
  /** Shares of reads and owners, such as `inventory legacy r50`. */
  readonly shares: string;
  readonly lag: string;
}

export interface Progress {
  update(snapshot: Snapshot): void;
  /** A line of its own that stays. */
  say(text: string): void;
  end(): void;
}

/** One line that is drawn again in place on a terminal; elsewhere only what is said stays. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  const live = stream.isTTY;
  const clear = (): void => {
    if (live) stream.write('\r\x1b[2K');
  };
  return {
    update({ stage, orders, requests, failed, shares, lag }) {
      if (!live) return;
      const line = `${orders} | ${stage} | ${shares} | lag ${lag} | ${requests} requests, ${failed} failed`;
      stream.write(`\r\x1b[2K${line.slice(0, (stream.columns || 100) - 1)}`);
    },
    say(text) {
      clear();
      stream.write(`${text}\n`);
    },
    end: clear,
  };
}
