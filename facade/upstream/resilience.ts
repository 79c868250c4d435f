import type { Deadlines } from '../request/index.ts';

/** Whether a server has answered a request as one that is well does; undefined where the exchange says nothing of it. */
export type Verdict = 'well' | 'ill' | undefined;

/** `half_open`: a few requests are let through, to see whether the server is well again. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** Keeps requests from a server that fails. */
export interface Breaker {
  readonly state: BreakerState;
  /** How often it has opened. */
  readonly opened: number;
  /** For how long it stays open, in ms. */
  readonly msLeft: number;
  /** Called when it opens. */
  onOpen: (() => void) | undefined;
  /** @returns a ticket to leave with, once; 0 where the request must not be sent */
  enter(): number;
  leave(ticket: number, verdict: Verdict): void;
}

/** Says whether requests that came to nothing are sent again. That it is safe is for others to say. */
export interface Retries {
  /** How many were not, since there were too many. */
  readonly refused: number;
  /** A request is sent for the first time. */
  requested(): void;
  /**
   * @param sent how often it was sent
   * @returns how long to wait before it is sent again, in ms; undefined where it is not
   */
  waitAfter(sent: number): number | undefined;
}

/** How long one server may take, where that is not as long as all others. */
export interface Timeouts {
  /** Until its answer begins. */
  readonly firstByte: Deadlines | undefined;
  /** Without another piece of it. */
  readonly silence: Deadlines | undefined;
}

/** What guards one server, as far as the configuration asks for it. */
export interface Resilience {
  readonly breaker?: Breaker | undefined;
  readonly retries?: Retries | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Whether the owner answers a read instead while the breaker is open. */
  readonly fallsBack: boolean;
}

/** The server's breaker is open: the request was not sent. */
export class UpstreamIll extends Error {
  readonly code = 'FIG_ILL';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('its breaker is open');
    this.retryAfterMs = retryAfterMs;
  }
}
