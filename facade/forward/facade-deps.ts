import type { Logger } from '../../chassis/index.ts';
import type { FigConfig, Flags, SideName } from '../../strangler/routing/index.ts';
import type {
  Barriers,
  FacadeRegistration,
  Peers,
  OwnershipCache,
  RoutingFeed,
  UnreplicatedWrites,
} from '../ownership/index.ts';
import type { Capability, Routes } from '../match/index.ts';
import type { Counters, HoldLog, UpstreamFailures } from '../counting/index.ts';
import type { RoutingSnapshot } from '../route/index.ts';
import type { Experiments } from '../compare/index.ts';
import type { Upstream } from '../upstream/index.ts';

/** What stays while the facade runs: what it has learnt, noted and counted. */
export interface FacadeState {
  readonly log: Logger;
  readonly flags: Pick<Flags, 'isEnabled' | 'switch'>;
  readonly ownershipCache: OwnershipCache;
  readonly feed: Pick<RoutingFeed, 'live' | 'confirm'>;
  /** By `Capability.index`. */
  readonly unreplicated: readonly UnreplicatedWrites[];
  readonly peers: Peers;
  readonly barriers: Pick<Barriers, 'pass'>;
  readonly counters: Counters;
  readonly failures: UpstreamFailures;
  readonly registration: Pick<FacadeRegistration, 'begin' | 'end'>;
  readonly holds: Pick<HoldLog, 'add'>;
  readonly experiments: Pick<Experiments, 'observe' | 'skip'>;
  upstreamOf(capability: Capability, side: SideName): Upstream;
}

/** What the ways through the facade share. A new configuration makes a new one of these. */
export interface FacadeDeps extends FacadeState {
  readonly limits: FigConfig['limits'];
  /** How many connections of one client's address may be open. */
  readonly clientSockets: number;
  readonly routes: Routes;
  readonly snapshot: RoutingSnapshot;
  readonly monolith: Upstream;
  /** Whether the monolith carries out a write only once that comes twice with the same key. */
  readonly monolithHonoursKeys: boolean;
  /** Lower-case name of the header that names the customer. */
  readonly stickyHeader: string;
}
