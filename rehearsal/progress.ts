import { canRedraw } from '../chassis/index.ts';

/** What is going on right now, for the line a person watches. */
export interface Snapshot {
  readonly stage: string;
  readonly orders: string;
  readonly requests: number;
  readonly failed: number;
  /** Shares of reads and owners, such as `inventory legacy, 50 %`. */
  readonly shares: string;
  readonly lag: string;
}

export interface Progress {
  /** Names what is waited for while there is nothing to count. */
  stage(name: string): void;
  update(snapshot: Snapshot): void;
  /** A line of its own that stays. */
  say(text: string): void;
  end(): void;
}

interface ProgressOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long nothing is written at most where no line can be drawn again. */
  readonly quietMs?: number;
}

const DRAW_MS = 200;
const QUIET_MS = 4_000;
const CLEAR = '\r\x1b[2K';

/**
 * One line that is drawn again in place on a terminal; elsewhere (a pipe, TERM=dumb) a line every few
 * seconds. It never stands still: it counts the seconds of its stage.
 */
export function createProgress(
  stream: NodeJS.WriteStream,
  { env = process.env, quietMs = QUIET_MS }: ProgressOptions = {},
): Progress {
  const live = canRedraw(stream, env);
  let stage = '';
  let since = performance.now();
  let counts: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;

  function draw(): void {
    const seconds = `${Math.floor((performance.now() - since) / 1000)} s`;
    const width = live ? (stream.columns || 80) - 1 : Number.POSITIVE_INFINITY;
    const line = fitting([`${stage}, ${seconds}`, ...counts], width);
    stream.write(live ? `${CLEAR}${line}` : `       ${line}\n`);
  }

  function enter(name: string, next: readonly string[]): void {
    if (name !== stage) [stage, since] = [name, performance.now()];
    counts = next;
    if (timer !== undefined) return;
    if (live) draw();
    timer = setInterval(draw, live ? DRAW_MS : quietMs);
    // A command that is done does not go on for its progress.
    timer.unref();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    if (live) stream.write(CLEAR);
  }

  return {
    stage: (name) => enter(name, []),
    update: ({ stage: name, orders, requests, failed, shares, lag }) =>
      enter(name, [orders, `${failed} of ${requests} requests failed`, `lag ${lag}`, shares]),
    say(text) {
      // What is said breaks the silence: its time begins anew.
      const drawing = timer !== undefined;
      if (drawing) stop();
      stream.write(`${text}\n`);
      if (drawing) enter(stage, counts);
    },
    end() {
      if (timer !== undefined) stop();
    },
  };
}

/** As many of these, the most telling first, as a line has room for; none is cut but the first. */
function fitting([first = '', ...more]: readonly string[], width: number): string {
  let line = first.slice(0, width);
  for (const part of more) {
    if (part !== '' && `${line} | ${part}`.length <= width) line += ` | ${part}`;
  }
  return line;
}
