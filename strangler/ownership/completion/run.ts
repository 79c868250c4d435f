import type { Completer } from './completer.ts';
import { nextStep } from './decide.ts';
import type { CompletionAction } from './decide.ts';

export interface CompletionResult {
  readonly outcome: 'done' | 'aborted';
  readonly reason: string | null;
}

/** What a run knows besides what the databases say. */
interface Progress {
  compared: boolean;
  abort: string | null;
  published: boolean;
}

/**
 * Runs a completion to its end, whatever state it finds it in: a thin loop around `nextStep`.
 * @param deadline ms since 1970: one that is not sealed by then is taken back
 * @throws what a step throws; running it again goes on from there
 */
export async function runCompletion(
  completer: Completer,
  deadline = Number.POSITIVE_INFINITY,
): Promise<CompletionResult> {
  const progress: Progress = { compared: false, abort: null, published: false };
  if (Date.now() > deadline) progress.abort = 'it was interrupted, and is too old to go on';
  for (;;) {
    const action = nextStep({ ...(await completer.read()), ...progress });
    await take(completer, action, progress);
    if (action.kind === 'finish') return { outcome: action.outcome, reason: action.reason };
  }
}

async function take(
  completer: Completer,
  action: CompletionAction,
  progress: Progress,
): Promise<void> {
  switch (action.kind) {
    case 'reconcile':
      progress.abort = await completer.reconcile();
      progress.compared = progress.abort === null;
      return;
    case 'publish':
      await completer.publish();
      progress.published = true;
      return;
    case 'finish':
      return completer.finish(action.outcome, action.reason);
    default:
      return completer[action.kind]();
  }
}
