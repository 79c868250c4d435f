import { isSafe } from '../request/index.ts';
import type { Route } from '../route/index.ts';
import type { Upstream } from '../upstream/index.ts';
import type { RequestContext } from './request-context.ts';
import { isWorthAnother } from './upstream-call.ts';
import type { Failed } from './upstream-call.ts';

/** A process dies: the first attempt breaks, the second is refused by the dead process's port, the third reaches another process. */
const MOST_AFTER_MISS = 2;

type Repeated = Pick<Upstream, 'resilience' | 'hasOthers'>;

/** The attempts of one request after its first, which `forward` has found to be safe. */
export class Repeats {
  readonly #context: RequestContext;
  #count = 0;
  /** Whether an upstream may have seen an attempt that came to nothing. */
  #wasSeen = false;
  #waitMs = 0;

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /**
   * Whether the request is sent once more to the upstream that did not answer.
   * @param upstream without retries of its own, a request is repeated once, where there is reason to
   */
  after(by: Route, failed: Failed, upstream: Repeated): 'at once' | 'later' | undefined {
    const waitMs = this.#waitAfter(by, failed, upstream);
    if (waitMs === undefined) return undefined;
    this.#count += 1;
    this.#wasSeen ||= failed.sent;
    this.#waitMs = waitMs;
    return waitMs > 0 ? 'later' : 'at once';
  }

  /** Waits for as long as was drawn, or until the request is over. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#waitMs);
      this.#context.underWay = {
        cancel: () => {
          clearTimeout(timer);
          resolve();
        },
      };
    });
  }

  /** Whether any attempt may have had an effect, the last one included. */
  mayHaveHappened({ sent }: Failed): boolean {
    return sent || (this.#wasSeen && !isSafe(this.#context.form.method));
  }

  /** In ms; undefined where it is not sent again. */
  #waitAfter(by: Route, failed: Failed, { resilience, hasOthers }: Repeated): number | undefined {
    const { retries } = resilience;
    // A process that was not reached says nothing of the others.
    const isMissed = hasOthers && !failed.sent && !failed.turnedAway;
    const isDue = isMissed
      ? this.#count < MOST_AFTER_MISS
      : this.#count === 0 && isWorthAnother(failed);
    if (!retries) return isDue ? 0 : undefined;
    const mayWait = by.alternative === undefined && !this.#mustNotBeLate();
    if (failed.turnedAway || (!mayWait && !isDue)) return undefined;
    const waitMs = retries.waitAfter(this.#count + 1);
    const atOnce = !mayWait || failed.raced;
    return atOnce && waitMs !== undefined ? 0 : waitMs;
  }

  /** An application that can't say FENCED makes an error of its own of a write that its side is closed to by then. */
  #mustNotBeLate(): boolean {
    const { match } = this.#context;
    return match.kind === 'write' && match.changes.some(({ finishesFirst }) => finishesFirst);
  }
}
