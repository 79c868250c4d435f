import type { Flags, SideName } from '../../strangler/routing/index.ts';
import type { Capability } from '../routes/index.ts';
import type { Circumstances } from './decision.ts';

/** A server behind the facade. */
export interface Destination {
  readonly name: string;
  readonly url: string;
}

/** What the facade knows; the data plane decides by the same circumstances. */
export interface World {
  readonly circumstances: Circumstances;
  readonly flags: Pick<Flags, 'rule' | 'bucket'>;
  readonly stickyHeader: string;
  readonly monolith: Destination;
  upstreamOf(capability: Capability, side: SideName): Destination;
}
