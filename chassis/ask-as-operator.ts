import { CallFailed, createHttpClient } from './http-client.ts';
import type { HttpAnswer } from './http-client.ts';
import type { OperatorToken } from './operator-token.ts';
import type { ServerSettings } from './server-location.ts';

const ASK_MS = 2_000;

/** Asks a process as an operator; undefined when it does not answer in time, or not at all. */
export async function askAsOperator(
  { token }: { readonly token: OperatorToken },
  server: string | ServerSettings,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<HttpAnswer | undefined> {
  const client = createHttpClient(server, ASK_MS, token.headers);
  try {
    return await client.call(method, path);
  } catch (error) {
    if (error instanceof CallFailed) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}
