import type { Flags, SideName } from '../../strangler/routing/index.ts';
import type { Capability } from '../match/index.ts';
import type { RoutingSnapshot } from './decision.ts';

/** A server behind the facade. */
export interface Destination {
  readonly name: string;
  readonly url: string;
}

/** What the facade knows; the facade decides by the same snapshot. */
export interface ExplanationInputs {
  readonly snapshot: RoutingSnapshot;
  readonly flags: Pick<Flags, 'rule' | 'bucket'>;
  readonly stickyHeader: string;
  readonly monolith: Destination;
  upstreamOf(capability: Capability, side: SideName): Destination;
}
