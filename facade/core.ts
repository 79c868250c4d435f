import type { Logger } from '../chassis/index.ts';
import type { FigConfig, Flags } from '../strangler/routing/index.ts';
import type { Capability, Routes } from './capability.ts';
import type { Counters } from './counters.ts';
import type { Experiments } from './experiment.ts';
import type { HoldLog } from './hold-log.ts';
import type { RoutingBook } from './routing-book.ts';
import type { RoutingFeed } from './routing-feed.ts';
import type { Upstream } from './upstream.ts';
import type { WriteNotes } from './write-notes.ts';
import type { SideName } from '../strangler/routing/index.ts';

/** What the ways through the facade share. */
export interface Core {
  readonly limits: FigConfig['limits'];
  readonly log: Logger;
  readonly routes: Routes;
  readonly flags: Pick<Flags, 'isEnabled'>;
  readonly book: RoutingBook;
  readonly feed: Pick<RoutingFeed, 'live' | 'confirm'>;
  /** By `Capability.index`. */
  readonly notes: readonly WriteNotes[];
  readonly monolith: Upstream;
  readonly counters: Counters;
  readonly holds: HoldLog;
  readonly experiments: Pick<Experiments, 'observe'>;
  upstreamOf(capability: Capability, side: SideName): Upstream;
}
