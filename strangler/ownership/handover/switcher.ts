import type { Action } from './decide.ts';
import type { Facts } from './facts.ts';

/** What both databases say; the rest of the facts a run knows by itself. */
export type Readings = Pick<Facts, 'source' | 'target' | 'handover' | 'applied'> & {
  /** Why the target could not be read; its readings are then what is safe to assume. */
  readonly targetTrouble: string | null;
  /** ms since 1970: after it, a handover short of its commit point is taken back. */
  readonly deadline: number;
};

export type StepKind = Exclude<Action['kind'], 'nothing' | 'alarm'>;

/**
 * Carries out the steps of one handover. Each is idempotent and answers whether it took effect; a
 * step that did not is decided anew, from facts read again.
 */
export interface Switcher {
  read(): Promise<Readings>;
  /** Hints to the facades that new writes should wait; lets those under way finish, where they must. */
  hold(): Promise<boolean>;
  close(): Promise<boolean>;
  recordPosition(): Promise<boolean>;
  /**
   * Helps the target to apply what is missing up to a position, for a while.
   * @returns whether all of it is applied there, and would survive a power cut
   */
  awaitApplied(position: number): Promise<boolean>;
  /** The commit point. */
  cede(): Promise<boolean>;
  abort(from: 'open' | 'closed', reason: string): Promise<boolean>;
  open(): Promise<boolean>;
  /** Tells the facades who owns the capability now. */
  publish(): Promise<boolean>;
  finish(outcome: 'done' | 'aborted'): Promise<boolean>;
  /** Whether this run may still act; not, once another engine has taken its lease. */
  stillMine(): Promise<boolean>;
}
