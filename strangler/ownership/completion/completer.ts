import type { CompletionAction, CompletionFacts } from './decide.ts';
import type { CompletionRecord } from './record.ts';

export type CompletionStep = CompletionAction['kind'];

/** What the databases say; the rest of the facts a run knows by itself. */
export type CompletionReadings = Pick<CompletionFacts, 'captured' | 'retired'> & {
  /** Null when it is gone: then nothing says any more what may still be done. */
  readonly record: CompletionRecord | null;
};

/** Carries out the steps of a completion. Each is idempotent. */
export interface Completer {
  readonly capability: string;
  read(): Promise<CompletionReadings>;
  /** Journals a step, before its effect; false when another engine has taken over. */
  journal(step: CompletionAction): Promise<boolean>;
  /** Compares both sides as a whole. @returns why they are not equal; null when they are */
  reconcile(): Promise<string | null>;
  /** Closes the way back for good; false when the lease is lost, or legacy has not given ownership up. */
  seal(): Promise<boolean>;
  /** Ends the feed that leads back: the extracted side is not captured or fenced any more. */
  release(): Promise<void>;
  /** Takes the triggers off the legacy tables and renames them. */
  retire(): Promise<void>;
  /** Tells the facades. */
  publish(): Promise<void>;
  finish(outcome: 'done' | 'aborted', reason: string | null): Promise<boolean>;
  /** Whether this run may still act. */
  stillMine(): Promise<boolean>;
}
