import type { FacadeDeps } from '../forward/index.ts';
import type { GatewayTrouble } from './facts.ts';

type Deps = Pick<FacadeDeps, 'upstreams' | 'counters' | 'redis' | 'issuerTrouble'>;

/** What of the gateway does not work as it is configured, right now; empty where all does. */
export function gatewayTroubles({
  upstreams,
  counters,
  redis,
  issuerTrouble,
}: Deps): readonly GatewayTrouble[] {
  return [
    ...upstreams.all().flatMap(({ name, resilience: { breaker } }): GatewayTrouble[] => {
      if (!breaker || breaker.state === 'closed') return [];
      const what =
        breaker.state === 'open'
          ? `the breaker of ${name} is open: nothing is sent to it`
          : `the breaker of ${name} is half open: it gets a few requests, to see whether it is well`;
      return [{ code: 'breaker_open', about: name, what }];
    }),
    ...upstreams.all().flatMap(({ name, instances }) =>
      instances.flatMap(({ url, ejected }): GatewayTrouble[] => {
        const what = `${name} at ${url} is ejected: it has failed, and gets no requests for a while`;
        return ejected ? [{ code: 'instance_ejected', about: url, what }] : [];
      }),
    ),
    ...(redis && counters.limitsAreShared?.() === false ? [LIMITS_LOCAL] : []),
    ...issuerTroubles(issuerTrouble()),
  ];
}

const LIMITS_LOCAL: GatewayTrouble = {
  code: 'limits_local',
  about: 'redis',
  what: 'Redis is away: each process counts rate limits by itself',
};

function issuerTroubles(trouble: ReturnType<Deps['issuerTrouble']>): readonly GatewayTrouble[] {
  if (!trouble) return [];
  const { url, reason, readAt } = trouble;
  const meanwhile =
    readAt === null
      ? 'no token can be verified'
      : `those of ${new Date(readAt).toISOString()} still count`;
  const what = `the issuer at ${url} does not give its keys (${reason}); ${meanwhile}`;
  return [{ code: 'issuer_keys', about: url, what }];
}
