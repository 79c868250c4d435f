import type { Logger } from '../../chassis/index.ts';

/** Why an upstream gave no answer, or no whole one. */
export type FailureCause =
  | 'refused'
  | 'unreachable'
  | 'dns'
  | 'tls'
  | 'connect_timeout'
  | 'timeout'
  | 'reset'
  | 'malformed'
  | 'crowded'
  | 'ill'
  | 'other';

/** An answer that did not begin, or went on, in time. */
export class UpstreamTimedOut extends Error {
  readonly code = 'FIG_TIMEOUT';
}

/** How long a cause is not logged again after it was, in ms. */
const QUIET_MS = 10_000;

const CAUSES: Readonly<Record<string, FailureCause>> = {
  ECONNREFUSED: 'refused',
  // A unix socket that is not there, or not ours to use.
  ENOENT: 'refused',
  EACCES: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'connect_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  FIG_TIMEOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  EPROTO: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'malformed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'malformed',
  FIG_MALFORMED: 'malformed',
  FIG_CROWDED: 'crowded',
  FIG_ILL: 'ill',
};
const TLS = /CERT|^ERR_(?:TLS|SSL)|^UNABLE_TO_|SELF_SIGNED/;

/** The cause of a failure, by the error's code. */
export function causeOf(error: Error): FailureCause {
  const { code, name } = error as NodeJS.ErrnoException;
  // undici's parser has no code for some of what it refuses; node's own has no such name.
  if (name === 'HTTPParserError' || code?.startsWith('HPE_')) return 'malformed';
  if (code === undefined) return 'other';
  if (code.startsWith('EAI_') || code === 'ENOTFOUND') return 'dns';
  return CAUSES[code] ?? (TLS.test(code) ? 'tls' : 'other');
}

interface FailureCount {
  count: number;
  loggedAt: number;
  /** How many have not been logged. */
  unlogged: number;
}

/** Counts what upstreams fail of, and logs it: each cause at once, and then at most every 10 s. */
export class UpstreamFailures {
  readonly #log: Logger;
  readonly #told = new Map<string, Map<FailureCause, FailureCount>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  record(upstream: string, error: Error): void {
    const cause = causeOf(error);
    const told = this.#of(upstream, cause);
    told.count += 1;
    const now = performance.now();
    if (now - told.loggedAt < QUIET_MS) {
      told.unlogged += 1;
      return;
    }
    const { message } = error;
    const more = told.unlogged === 0 ? {} : { unlogged: told.unlogged };
    this.#log.warn({ upstream, cause, error: message, ...more }, 'an upstream failed');
    told.loggedAt = now;
    told.unlogged = 0;
  }

  #of(upstream: string, cause: FailureCause): FailureCount {
    let causes = this.#told.get(upstream);
    if (!causes) this.#told.set(upstream, (causes = new Map<FailureCause, FailureCount>()));
    let told = causes.get(cause);
    if (!told) causes.set(cause, (told = { count: 0, loggedAt: -Infinity, unlogged: 0 }));
    return told;
  }

  *counts(): Generator<{ upstream: string; cause: FailureCause; count: number }> {
    for (const [upstream, causes] of this.#told) {
      for (const [cause, { count }] of causes) yield { upstream, cause, count };
    }
  }
}
