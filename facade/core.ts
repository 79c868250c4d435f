import type { Logger } from '../chassis/index.ts';
import type { FigConfig, Flags, SideName } from '../strangler/routing/index.ts';
import type { Barriers } from './barriers.ts';
import type { Capability, Routes } from './capability.ts';
import type { Counters } from './counters.ts';
import type { Circumstances } from './decision.ts';
import type { Door } from './door.ts';
import type { Experiments } from './experiment.ts';
import type { HoldLog } from './hold-log.ts';
import type { Peers } from './peers.ts';
import type { RoutingBook } from './routing-book.ts';
import type { RoutingFeed } from './routing-feed.ts';
import type { Upstream } from './upstream.ts';
import type { WriteNotes } from './write-notes.ts';

/** What stays while the facade runs: what it has learnt, noted and counted. */
export interface Memory {
  readonly log: Logger;
  readonly flags: Pick<Flags, 'isEnabled'>;
  readonly book: RoutingBook;
  readonly feed: Pick<RoutingFeed, 'live' | 'confirm'>;
  /** By `Capability.index`. */
  readonly notes: readonly WriteNotes[];
  readonly peers: Peers;
  readonly barriers: Pick<Barriers, 'pass'>;
  readonly counters: Counters;
  readonly door: Pick<Door, 'begin' | 'end'>;
  readonly holds: Pick<HoldLog, 'add'>;
  readonly experiments: Pick<Experiments, 'observe'>;
  upstreamOf(capability: Capability, side: SideName): Upstream;
}

/** What the ways through the facade share. A new configuration makes a new one of these. */
export interface Core extends Memory {
  readonly limits: FigConfig['limits'];
  readonly routes: Routes;
  readonly circumstances: Circumstances;
  readonly monolith: Upstream;
  /** Lower-case name of the header that names the customer. */
  readonly stickyHeader: string;
}
