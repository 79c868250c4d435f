import { Problem } from '../../chassis/index.ts';
import { UpstreamIll } from '../upstream/index.ts';
import type { NoRoom } from '../upstream/index.ts';
import type { Route } from '../route/index.ts';

const RETRY_SOON = { 'retry-after': '1' };

interface Failure {
  readonly sent: boolean;
  readonly timedOut: boolean;
  readonly turnedAway: NoRoom | UpstreamIll | undefined;
}

/** @param sent whether the upstream may have seen the request */
export function upstreamUnavailable(sent: boolean): Problem {
  return new Problem(
    502,
    'upstream_unavailable',
    sent
      ? 'the server behind this route broke off before it answered; the outcome is unknown'
      : 'the server behind this route could not be reached; nothing has happened',
  );
}

export function upstreamTimeout(): Problem {
  return new Problem(
    504,
    'upstream_timeout',
    'the server behind this route did not answer in time; the outcome is unknown',
  );
}

export function upstreamBusy(): Problem {
  return new Problem(
    503,
    'upstream_busy',
    'too many requests wait for the server behind this route; nothing has happened, try again',
    { headers: RETRY_SOON },
  );
}

function upstreamIll({ retryAfterMs }: UpstreamIll): Problem {
  const seconds = Math.max(1, Math.ceil(Math.round(retryAfterMs) / 1_000));
  return new Problem(
    503,
    'upstream_ill',
    'the server behind this route has failed too often and gets no requests for a while; nothing has happened, try again',
    { headers: { 'retry-after': String(seconds) } },
  );
}

export function requestTimeout(): Problem {
  return new Problem(408, 'request_timeout', 'the request took too long to arrive');
}

/** What a client is told of a try that came to nothing. */
export function unanswered({ sent, timedOut, turnedAway }: Failure): Problem {
  if (turnedAway && !sent) {
    return turnedAway instanceof UpstreamIll ? upstreamIll(turnedAway) : upstreamBusy();
  }
  return timedOut ? upstreamTimeout() : upstreamUnavailable(sent);
}

/** What a client is told of a request that its route refuses. */
export function problemOf(refused: NonNullable<Route['refused']>): Problem {
  if (refused.code === 'held_too_long') return heldTooLong();
  const { flag, why } = refused;
  return new Problem(
    503,
    'owner_unknown',
    `${flag} says which server takes this write, and asks for nothing: ${why}; nothing has happened`,
    { headers: RETRY_SOON },
  );
}

export function heldTooLong(): Problem {
  return new Problem(
    503,
    'held_too_long',
    'ownership of this data is moving and took too long; nothing has happened, try again',
    { headers: RETRY_SOON },
  );
}

export function tooManyHeld(): Problem {
  return new Problem(
    503,
    'too_many_held',
    'ownership of this data is moving and too many writes wait for it; nothing has happened',
    { headers: RETRY_SOON },
  );
}

/** @param limit bytes of a body that is kept to be sent again */
export function tooLargeToHold(limit: number): Problem {
  return new Problem(
    503,
    'too_large_to_hold',
    `ownership of this data is moving, and a body over ${limit} bytes is not kept for it; ` +
      'nothing has happened, try again',
    { headers: RETRY_SOON },
  );
}

/** After an error of the facade's own. */
export function facadeFailed(): Problem {
  return new Problem(502, 'facade_failed', 'the facade failed; see its log');
}

export function tooManyUpgrades(): Problem {
  return new Problem(
    503,
    'too_many_upgrades',
    'as many connections are upgraded as the configuration allows, in all or of one client; nothing has happened, try again',
    { headers: RETRY_SOON },
  );
}
