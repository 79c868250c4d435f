import type { CompletionAction, CompletionFacts } from './decide.ts';

export type CompletionStep = CompletionAction['kind'];

/** What the databases say; the rest of the facts a run knows by itself. */
export type CompletionReadings = Pick<CompletionFacts, 'record' | 'captured' | 'retired'>;

/** Carries out the steps of a completion. Each is idempotent. */
export interface Completer {
  read(): Promise<CompletionReadings>;
  /** Compares both sides as a whole. @returns why they are not equal; null when they are */
  reconcile(): Promise<string | null>;
  /** Closes the way back for good. */
  seal(): Promise<void>;
  /** Ends the feed that leads back: the extracted side is not captured or fenced any more. */
  release(): Promise<void>;
  /** Takes the triggers off the legacy tables and renames them. */
  retire(): Promise<void>;
  /** Tells the facades. */
  publish(): Promise<void>;
  finish(outcome: 'done' | 'aborted', reason: string | null): Promise<void>;
}
