import { setTimeout as delay } from 'node:timers/promises';
import { createHttpClient } from '../chassis/index.ts';
import type { HttpAnswer, OperatorToken } from '../chassis/index.ts';
import { StartFailed } from './launcher.ts';

interface ReadyOptions {
  readonly timeoutMs: number;
  /** Whoever has the operators' token is told why a process is not ready. */
  readonly token: OperatorToken;
  readonly signal: AbortSignal;
}

/**
 * Waits until a process says on `/readyz` that it can serve.
 * @throws StartFailed with its last answer when `timeoutMs` pass before
 */
export async function untilReady(
  name: string,
  url: () => string,
  { timeoutMs, token, signal }: ReadyOptions,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = 'it never answered';
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const answer = await ask(url(), token);
    if (typeof answer !== 'string' && answer.status === 200) return;
    last = typeof answer === 'string' ? answer : JSON.stringify(answer.body);
    await delay(25, undefined, { signal });
  }
  throw new StartFailed(`${name} was not ready within ${timeoutMs / 1000} s: ${last}`);
}

async function ask(url: string, token: OperatorToken): Promise<HttpAnswer | string> {
  const client = createHttpClient(url, 2_000, token.headers);
  try {
    return await client.call('GET', '/readyz');
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.close();
  }
}
