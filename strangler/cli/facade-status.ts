import { askAsOperator } from '../../chassis/index.ts';
import type { FlagsState, Shares } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { Context } from './context.ts';

/** Something of a facade's gateway that does not work as it is configured, as the facade tells it. */
export interface GatewayTrouble {
  readonly code: 'breaker_open' | 'instance_ejected' | 'limits_local' | 'issuer_keys';
  readonly about: string;
  readonly what: string;
}

/** What `fig` reads of a facade's own status. */
export interface FacadeStatus {
  /** Which side the facade takes for the owner. */
  readonly capabilities: readonly {
    readonly name: string;
    readonly owner: SideName;
    readonly epoch: number;
    readonly known: boolean;
    /** Null while the facade has never read the flags. */
    readonly flags: Shares | null;
    /** Answers of both sides that it has compared. */
    readonly experiments?: { readonly matched: number; readonly mismatched: number };
  }[];
  readonly flags: FlagsState;
  readonly routingNews: 'pushed' | 'polled';
  readonly inFlight: number;
  /** What of its gateway does not work; a facade of an earlier release does not say. */
  readonly gateway?: readonly GatewayTrouble[];
  /** By capability and side: since the start, and rates of the last ten seconds. */
  readonly traffic: readonly {
    /** Empty for requests that belong to no capability. */
    readonly capability: string;
    readonly side: string;
    readonly requests: number;
    readonly errors: number;
    readonly perSecond: number;
    readonly errorsPerSecond: number;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
  }[];
}

/** A facade's answer to the question for its status. */
export interface FacadeAnswer {
  readonly url: string;
  /** The HTTP status; undefined where it does not answer. */
  readonly code: number | undefined;
  /** Undefined unless it answers 200. */
  readonly facts: FacadeStatus | undefined;
}

/** Asks each facade once for its status. */
export function askFacades(
  context: Context,
  urls: readonly string[],
): Promise<readonly FacadeAnswer[]> {
  return Promise.all(
    urls.map(async (url): Promise<FacadeAnswer> => {
      const answer = await askAsOperator(context, url, '/status');
      const facts = answer?.status === 200 ? (answer.body as FacadeStatus) : undefined;
      return { url, code: answer?.status, facts };
    }),
  );
}
