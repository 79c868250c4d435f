import { LRUCache } from 'lru-cache';
import { createHttpClient } from '../chassis/index.ts';
import type { HttpAnswer, HttpClient } from '../chassis/index.ts';

/** Each capability has one leader, and a restarted engine has another address. */
const LEADERS = 8;

/**
 * A client of the engines, whose address may lead to any of them. An engine that stands by does nothing, and
 * answers with the address of the one that leads: the call is then made there, once.
 * @param headers of every call, such as the operators' token
 */
export function leadingEngine(
  url: string,
  headers: () => Readonly<Record<string, string>>,
): HttpClient {
  const named = createHttpClient(url, undefined, headers);
  const leaders = new LRUCache<string, HttpClient>({
    max: LEADERS,
    dispose: (client) => void client.close(),
  });
  return {
    async call(method, path, options) {
      const answer = await named.call(method, path, options);
      const address = leaderIn(answer);
      if (address === undefined) return answer;
      let leader = leaders.get(address);
      if (leader === undefined) {
        leader = createHttpClient(address, undefined, headers);
        leaders.set(address, leader);
      }
      return leader.call(method, path, options);
    },
    async close() {
      leaders.clear();
      await named.close();
    },
  };
}

function leaderIn({ status, body }: HttpAnswer): string | undefined {
  if (status !== 503 || typeof body !== 'object' || body === null) return undefined;
  const { standing, leader } = body as { readonly standing?: unknown; readonly leader?: unknown };
  return standing === 'standby' && typeof leader === 'string' && URL.canParse(leader)
    ? leader
    : undefined;
}
