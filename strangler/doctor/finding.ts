import type { Fence } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';
import { plural } from '../wording.ts';
import type { StrayKey } from './facts.ts';

/** What can be done about a finding without anybody's decision. */
export type Repair =
  /** Ends a handover that a crash has left behind: forward, or back. */
  | { readonly kind: 'end_handover' }
  /** Closes the fence of the side that is behind, of two that are open. */
  | { readonly kind: 'close'; readonly side: SideName; readonly fence: Fence }
  /** The same for single keys, of which both sides take writes. */
  | { readonly kind: 'close_keys'; readonly side: SideName; readonly keys: readonly StrayKey[] }
  /** Puts our tables and triggers back in place. */
  | { readonly kind: 'reinstall'; readonly side: SideName };

export interface Remedy {
  readonly command: string;
  readonly reason: string;
}

/** Something that is not as it should be, or worth knowing, in plain words. */
export interface Finding {
  /** Stable, for programs. */
  readonly code: string;
  /** Null: it is about the system as a whole. */
  readonly capability: string | null;
  /**
   * `broken`: has to be mended. `decision`: only a person can say which way. `notice`: all is well
   * and this is why things are as they are.
   */
  readonly level: 'broken' | 'decision' | 'notice';
  readonly what: string;
  /** Why it matters, or what it means. */
  readonly why: string;
  readonly remedies: readonly Remedy[];
  readonly repair: Repair | null;
  /** Sides that a person may declare right, which makes them the owner; none when left out. */
  readonly trusts?: readonly SideName[];
}

/** What `--repair` would do, as a step for people. */
export function repairText(capability: string, repair: Repair): string {
  switch (repair.kind) {
    case 'end_handover':
      return `${capability}: finish the handover, or take it back where it is short of its commit point and late`;
    case 'close':
      return `${capability}: close ${repair.side}'s fence, which is behind (epoch ${repair.fence.epoch}), and demand a full comparison`;
    case 'close_keys':
      return `${capability}: close ${repair.side}'s fences of ${plural(repair.keys.length, 'key')} that fell behind, and demand a full comparison`;
    default:
      return `${capability}: put Fig's tables and triggers on ${repair.side} back in place, and demand a full comparison`;
  }
}

const BROKEN_OFF = /^the last (?:backfill|comparison) broke off: /;

/** Why everything has to be compared after what a gate asks for has failed. */
export function brokenOffText(what: 'backfill' | 'comparison', reason: string): string {
  return `the last ${what} broke off: ${reason}`;
}

export function isBrokenOff(reason: string): boolean {
  return BROKEN_OFF.test(reason);
}

/** Why everything has to be compared after a person has decided which side is right. */
export function decisionText(side: SideName): string {
  return `a person decided that ${side} is right`;
}
