import { Client } from 'undici';
import { UpstreamTimedOut } from '../counting/index.ts';

const LONGEST_MS = 1_000;

/**
 * Asks a server one thing, on a connection of its own, which is closed afterwards: no client has to
 * wait for it, nor does it wait for them.
 * @returns the body of the answer, of any status
 * @throws Error with the cause when no answer came within a second
 */
export async function askOnce(
  origin: string,
  options: Client.Options,
  method: 'GET' | 'HEAD',
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const client = new Client(origin, options);
  const signal = AbortSignal.timeout(LONGEST_MS);
  try {
    const answer = await client.request({ method, path, headers, signal });
    return await answer.body.text();
  } catch (error) {
    if (signal.aborted) throw new UpstreamTimedOut(`no answer within ${LONGEST_MS} ms`);
    throw error;
  } finally {
    await client.destroy();
  }
}
