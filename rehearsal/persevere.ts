import { setTimeout as delay } from 'node:timers/promises';
import type { CommandResult, Operator } from './operator.ts';

const ATTEMPTS = 40;
const RETRY_MS = 500;

interface Persevering {
  /** How often the command is given; once where nothing is being killed. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

/**
 * Gives a command about a capability until it succeeds: a process that it needs may have been
 * killed, and a refusal may ask for a fresh comparison first.
 * @throws when no attempt succeeds, with what the last one said; the signal's reason
 */
export async function persevere(
  operator: Operator,
  capability: string,
  words: readonly string[],
  { attempts = ATTEMPTS, signal }: Persevering = {},
): Promise<CommandResult> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const result = await operator(...words);
    if (result.code === 0) return result;
    if (attempt >= attempts) {
      throw new Error(
        `fig ${words.join(' ')} ended with ${result.code}: ` +
          `${JSON.stringify(result.output)} ${result.errors}`,
      );
    }
    if (result.code === 3) await operator('reconcile', capability);
    await delay(RETRY_MS, undefined, { signal });
  }
}
