import type { Finding } from '../doctor/index.ts';
import { step } from '../engine/next-step.ts';
import type { NextStep } from '../engine/next-step.ts';
import type { FacadeAnswer, GatewayTrouble } from './facade-status.ts';

/** What does not work at one facade's gateway; null where it can't be asked. */
export interface GatewayHealth {
  readonly facade: string;
  readonly troubles: readonly GatewayTrouble[] | null;
}

const LOOK = 'fig services';

/** What each trouble means for clients, and whether it is to be mended. */
const MEANING: Readonly<
  Record<GatewayTrouble['code'], { readonly level: Finding['level']; readonly why: string }>
> = {
  breaker_open: {
    level: 'broken',
    why: 'it has failed too often; requests for it are refused with 503, or reads are answered by the owner',
  },
  instance_ejected: {
    level: 'notice',
    why: 'the other instances answer meanwhile; it is tried again by itself',
  },
  limits_local: {
    level: 'notice',
    why: 'a client may send as many requests to each process as the limit allows; the facade refuses no request for that',
  },
  issuer_keys: {
    level: 'broken',
    why: 'a token that is signed with a newer key is refused with 401',
  },
};

/** How the gateway of each facade is, by its status. */
export function gatewayHealth(facades: readonly FacadeAnswer[]): readonly GatewayHealth[] {
  return facades.map(({ url, facts }) => ({ facade: url, troubles: facts?.gateway ?? null }));
}

/** A line for each trouble. */
export function gatewayLines(examined: readonly GatewayHealth[]): readonly string[] {
  return examined.flatMap(({ facade, troubles }) =>
    (troubles ?? []).map(({ what }) => `gateway at ${facade}: ${what}; next: ${LOOK}`),
  );
}

export function gatewaySteps(examined: readonly GatewayHealth[]): readonly NextStep[] {
  return examined.flatMap(({ troubles }) =>
    (troubles ?? [])
      .filter(({ code }) => MEANING[code].level === 'broken')
      .map(({ what }) => step(LOOK, what)),
  );
}

/** The same as findings of the doctor; that a facade can't be asked is one already. */
export function gatewayFindings(examined: readonly GatewayHealth[]): readonly Finding[] {
  return examined.flatMap(({ facade, troubles }) =>
    (troubles ?? []).map(({ code, what }): Finding => {
      const remedies = [{ command: LOOK, reason: 'lists the servers that each facade sends to' }];
      return {
        ...MEANING[code],
        code,
        capability: null,
        what: `the facade at ${facade}: ${what}`,
        remedies,
        repair: null,
      };
    }),
  );
}
