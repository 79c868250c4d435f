import type { Flags } from '../../routing/index.ts';
import type { Capability } from '../match/index.ts';
import type { Ownership } from '../ownership/index.ts';
import type { RoutedRequest, RoutingSnapshot } from './route.ts';

/** What decides about requests of one capability. */
export interface CapabilityFacts extends Ownership {
  readonly capability: string;
  /** Whether rows move between the sides; where they don't, the flags alone decide. */
  readonly replicated: boolean;
  /** Whose rows it is about, and whether they have an owner of their own; null where that can't be. */
  readonly cohort: { readonly key: string | null; readonly apart: boolean } | null;
  readonly flags: {
    readonly shadow: {
      readonly flag: string;
      readonly share: number;
      /** What else decides than the share; null where nothing does. */
      readonly conditions: string | null;
    };
    readonly reads: {
      readonly flag: string;
      readonly share: number;
      readonly conditions: string | null;
      /** Where this customer stands among a hundred; in the share if that is as large. */
      readonly bucket: number | null;
      /** Whether it is on for this customer. */
      readonly on: boolean;
    };
    readonly writes: {
      readonly flag: string;
      /** Null: it asks for nothing. */
      readonly on: boolean | null;
      readonly refused: string | null;
    };
  };
  /** Whether all that this customer wrote has reached the other side; null for nobody. */
  readonly settled: boolean | null;
  readonly news: 'pushed' | 'polled';
}

/** @param flags the rules behind those of the snapshot */
export function factsOf(
  capability: Capability,
  { form }: RoutedRequest,
  snapshot: RoutingSnapshot,
  flags: Pick<Flags, 'rule' | 'bucket'>,
): CapabilityFacts {
  const { shadow, reads, writes } = capability.flags;
  const { customer, draw } = form;
  const {
    key,
    inCohort,
    isUnknown: _unsaid,
    ...ownership
  } = snapshot.ownership.of(capability, form);
  const [shadowRule, readsRule] = [flags.rule(shadow), flags.rule(reads)];
  const { on, refused } = snapshot.flags.switch(writes);
  return {
    capability: capability.name,
    replicated: capability.replicated,
    cohort: capability.cohorts ? { key: key ?? null, apart: inCohort } : null,
    flags: {
      shadow: { flag: shadow, share: shadowRule.share, conditions: shadowRule.conditions },
      reads: {
        flag: reads,
        share: readsRule.share,
        conditions: readsRule.conditions,
        bucket: customer === undefined ? null : (flags.bucket(reads, customer) ?? null),
        on: snapshot.flags.isEnabled(
          reads,
          customer === undefined ? { draw } : { userId: customer },
        ),
      },
      writes: { flag: writes, on, refused },
    },
    ...ownership,
    settled: customer === undefined ? null : snapshot.ownWrites.isSettled(capability, customer),
    news: snapshot.updatesArePushed ? 'pushed' : 'polled',
  };
}
