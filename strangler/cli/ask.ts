import { CallFailed, createHttpClient } from '../../chassis/index.ts';
import type { HttpAnswer } from '../../chassis/index.ts';

const ASK_MS = 2_000;

/** Asks a process one question; undefined when it does not answer in time, or not at all. */
export async function ask(url: string, path: string): Promise<HttpAnswer | undefined> {
  const client = createHttpClient(url, ASK_MS);
  try {
    return await client.call('GET', path);
  } catch (error) {
    if (error instanceof CallFailed) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}
