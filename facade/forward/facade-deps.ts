import type { Logger } from '../../chassis/index.ts';
import type { RedisProbe } from '../../chassis/redis/index.ts';
import type { FigConfig, Flags, SideName } from '../../routing/index.ts';
import type { Experiments } from '../compare/index.ts';
import type { Counters, HoldLog, UpstreamFailures } from '../counting/index.ts';
import type { Capability, Match, Routes } from '../match/index.ts';
import type {
  Barriers,
  CachedFlags,
  FacadeRegistration,
  OwnershipCache,
  OwnWrites,
  RoutingFeed,
} from '../ownership/index.ts';
import type { CanonicalVersions, Deadlines, RequestForm, RequestReader } from '../request/index.ts';
import type { RoutingSnapshot } from '../route/index.ts';
import type { RequestContext } from './request-context.ts';
import type { Slots, Upstream, Upstreams } from '../upstream/index.ts';

/**
 * What a request passes before it is routed, such as the check of its token. It decides at once where it
 * can, and returns a promise where it has to ask another server first.
 * @throws Problem that refuses the request; a promise rejects with it
 */
export type Guard = (context: RequestContext) => Promise<void> | undefined;

/** Answers a request, or has it forwarded. @throws Problem that refuses it */
export type Handler = (context: RequestContext, deps: FacadeDeps) => void;

/** An issuer of tokens does not give its keys. */
export interface IssuerTrouble {
  readonly url: string;
  readonly reason: string;
  /** When keys were read that still count, in ms since 1970; null where none were. */
  readonly readAt: number | null;
}

/** What follows from one configuration. */
export interface ConfiguredDeps {
  /** In the order in which a request passes them. */
  readonly guards: readonly Guard[];
  /** Reads which version of the interface a path names; undefined where there is only one. */
  readonly versions: (CanonicalVersions & { checkUpgrade(form: RequestForm): void }) | undefined;
  /** Takes requests that were let in: `forward`, and the patterns that may answer before it. */
  readonly handle: Handler;
  readonly limits: FigConfig['limits'];
  /** How many connections of one client's address may be open. */
  readonly clientSockets: number;
  readonly reader: RequestReader;
  readonly routes: Routes;
  readonly monolith: Upstream;
  /** Who answers a request that is routed there. */
  readonly upstreamFor: (match: Match, to: SideName | 'monolith') => Upstream;
  /** Whether the monolith carries out a write only once that comes twice with the same key. */
  readonly monolithHonoursKeys: boolean;
  /** Lower-case name of the header that names the customer. */
  readonly stickyHeader: string;
  /** How long requests may take. */
  readonly deadlines: Deadlines;
  /** How long each of their attempts may take, where that is less. */
  readonly tryDeadlines: Deadlines | undefined;
}

/**
 * What a facade is made of. A new configuration makes a new one of these; requests under way go on with
 * the one that they began with. What is not of the configuration stays.
 */
export interface FacadeDeps extends ConfiguredDeps {
  readonly log: Logger;
  readonly flags: Flags;
  /** The same, with answers that are remembered for a moment. */
  readonly cachedFlags: CachedFlags;
  readonly ownershipCache: OwnershipCache;
  readonly ownWrites: OwnWrites;
  readonly feed: RoutingFeed;
  readonly barriers: Barriers;
  readonly registration: FacadeRegistration;
  readonly counters: Counters;
  readonly failures: UpstreamFailures;
  readonly holds: HoldLog;
  readonly experiments: Experiments;
  readonly upstreams: Upstreams;
  /** Writes that were held are sent so many at a time. */
  readonly releases: Slots;
  /** Why the issuer's keys could not be read when they were last asked for; undefined where they could. */
  issuerTrouble(): IssuerTrouble | undefined;
  /** Absent where no Redis is to be used. */
  readonly redis: RedisProbe | undefined;
  upstreamOf(capability: Capability, side: SideName): Upstream;
}

/** What decides about requests, as it is now. */
export function snapshotOf({
  routes,
  cachedFlags,
  ownershipCache,
  ownWrites,
  feed,
}: FacadeDeps): RoutingSnapshot {
  return {
    routes,
    flags: cachedFlags,
    ownership: ownershipCache,
    ownWrites,
    updatesArePushed: feed.live,
    version: ownershipCache.version,
  };
}
