import type { FlagsState, Shares } from '../../routing/index.ts';
import type { Asked, Explanation } from '../route/index.ts';
import type { Answerer, FailureCause, HeldWrite } from '../counting/index.ts';
import type { Cohort, Ownership } from '../ownership/index.ts';
import type { Findings } from '../compare/index.ts';
import type { BreakerState, InstanceStatus } from '../upstream/index.ts';
import type { TrafficCount } from './traffic.ts';

/** What operators may ask of a facade, be it one process or several. */
export interface Facts {
  status(): Promise<Status>;
  /** Held writes after `since`, oldest first. */
  holds(since: number): Promise<{ readonly next: number; readonly holds: readonly HeldWrite[] }>;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
  explain(question: Asked): Promise<Explanation>;
  /** What was answered since the start, by capability and side. */
  traffic(): Promise<readonly TrafficCount[]>;
  /** Asks each upstream of the configuration. */
  upstreams(): Promise<readonly UpstreamReach[]>;
  /** By name of what must be there to serve. */
  readiness(): Promise<Readiness>;
}

/** Whether an upstream answers, asked just now. */
export interface UpstreamReach {
  readonly name: string;
  readonly url: string;
  readonly trouble: { readonly cause: FailureCause; readonly error: string } | null;
}

export interface Readiness {
  readonly routing: boolean;
  /** How long ago the engine has last said who owns what, in ms; null where it never has, or need not. */
  readonly routingAgeMs: number | null;
  readonly monolith: boolean;
  /** Why the Redis that the facade was told to use has never answered; null where it has. */
  readonly redis: string | null;
  readonly flags: {
    readonly ok: boolean;
    /** What there is to say of them: why they can't be read, and what that means. */
    readonly note: string | null;
  };
}

export interface CapabilityStatus extends Ownership {
  readonly name: string;
  /** Keys with another owner than the rest, by who owns them. */
  readonly cohorts: readonly Cohort[];
  /** Null while they have never been read. */
  readonly flags: Shares | null;
  readonly experiments: Findings;
  readonly pinnedCustomers: number;
  readonly heldNow: number;
  readonly held: number;
  readonly fenced: number;
  readonly retried: number;
}

/** Of an upstream that has a breaker. */
export interface BreakerStatus {
  readonly upstream: string;
  /** Of several processes, each of which has its own: the worst. */
  readonly state: BreakerState;
  /** How often it has opened since the process has started. */
  readonly opened: number;
}

/** Something of the gateway that does not work as it is configured. */
export interface GatewayTrouble {
  readonly code: 'breaker_open' | 'instance_ejected' | 'limits_local' | 'issuer_keys';
  /** Which upstream, process, or server. */
  readonly about: string;
  /** For people. */
  readonly what: string;
}

/** One process of an upstream. */
export interface InstanceFacts extends InstanceStatus {
  readonly upstream: string;
}

export interface Status {
  readonly capabilities: readonly CapabilityStatus[];
  readonly routingNews: 'pushed' | 'polled';
  /** Whether flags were ever read; until then all of them count as off, and it serves by fences. */
  readonly flagsKnown: boolean;
  readonly flags: FlagsState;
  readonly breakers: readonly BreakerStatus[];
  readonly instances: readonly InstanceFacts[];
  /** What of the gateway does not work as it is configured. */
  readonly gateway: readonly GatewayTrouble[];
  readonly inFlight: number;
  readonly experimentsRunning: number;
  readonly requests: readonly {
    readonly capability: string;
    readonly side: Answerer;
    readonly status: number;
    readonly count: number;
  }[];
  readonly holds: { readonly next: number };
}
