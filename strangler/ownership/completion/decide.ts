import type { CompletionRecord } from './record.ts';

/** All that the next step of a completion depends on. */
export interface CompletionFacts {
  readonly record: CompletionRecord;
  /** Whether this run has compared both sides as a whole and found them equal. */
  readonly compared: boolean;
  /** Why it should be taken back while it still can be; null: it should not. */
  readonly abort: string | null;
  /** Whether anything of the extracted side is still captured for the way back. */
  readonly captured: boolean;
  /** Whether the legacy tables have been renamed. */
  readonly retired: boolean;
  /** Whether this run has told the facades. */
  readonly published: boolean;
}

export type CompletionAction =
  | { readonly kind: 'reconcile' }
  | { readonly kind: 'seal' }
  | { readonly kind: 'release' }
  | { readonly kind: 'retire' }
  | { readonly kind: 'publish' }
  | {
      readonly kind: 'finish';
      readonly outcome: 'done' | 'aborted';
      readonly reason: string | null;
    };

/**
 * Decides the next step of a completion from facts alone, also after a crash at any of them:
 * before the seal it can be taken back, and nothing has changed; after it, it only goes forward.
 */
export function decideCompletion(facts: CompletionFacts): CompletionAction {
  const { record, compared, abort, captured, retired, published } = facts;
  if (record.sealedAt === null) {
    if (abort !== null) return { kind: 'finish', outcome: 'aborted', reason: abort };
    return compared ? { kind: 'seal' } : { kind: 'reconcile' };
  }
  // Nothing may be applied to tables that are about to go, so the feed ends first.
  if (captured) return { kind: 'release' };
  if (!retired) return { kind: 'retire' };
  return published ? { kind: 'finish', outcome: 'done', reason: null } : { kind: 'publish' };
}
