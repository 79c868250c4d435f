import { Redis } from 'ioredis';
import type { FacadeFacts, Finding } from '../doctor/index.ts';
import type { SideName } from '../side.ts';
import { ask } from './ask.ts';
import type { Context } from './context.ts';

const REDIS_MS = 1_000;

/** Who owns a capability, by its fences. */
export interface Truth {
  readonly capability: string;
  readonly owner: SideName | null;
  readonly epoch: number;
}

/** What is wrong around the databases: Redis, and what facades believe. */
export async function examineSurroundings(
  context: Context,
  truths: readonly Truth[],
): Promise<readonly Finding[]> {
  const [redis, ...facades] = await Promise.all([
    examineRedis(context.env['REDIS_URL']),
    ...context.adminUrls.map((url) => examineFacade(url, truths)),
  ]);
  return [...redis, ...facades.flat()];
}

function finding(code: string, what: string, why: string, command: string): Finding {
  const remedies = [{ command, reason: 'starts what is away' }];
  return { code, capability: null, level: 'broken', what, why, remedies, repair: null };
}

async function examineRedis(url: string | undefined): Promise<readonly Finding[]> {
  if (!url) return [];
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: REDIS_MS,
    commandTimeout: REDIS_MS,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const why =
      'it decides nothing and keeps nothing: changes are read from the feed, facades ask instead of ' +
      'being told; everything goes on, a little slower';
    return [finding('redis_away', `Redis does not answer: ${reason}`, why, 'npm start')];
  } finally {
    redis.disconnect();
  }
}

async function examineFacade(url: string, truths: readonly Truth[]): Promise<readonly Finding[]> {
  const facts = await factsOf(url);
  if (!facts.answers) {
    const why = 'nobody can say what it believes, and clients may find the front door closed';
    return [finding('facade_away', `no facade answers at ${url}`, why, 'npm start')];
  }
  return facts.capabilities.flatMap(({ name, owner, epoch, known }) => {
    const truth = truths.find(({ capability }) => capability === name);
    if (!known || !truth || truth.owner === null || truth.epoch <= epoch) return [];
    const what =
      `the facade at ${url} believes that ${owner} owns ${name} (epoch ${epoch}); ` +
      `it is ${truth.owner} (epoch ${truth.epoch})`;
    const why =
      'its writes are turned away by the fence and sent on, so that none is lost, but each takes a ' +
      'detour; it is cut off from Redis and the engine, or they are away';
    return [finding('facade_stale', what, why, 'npm start')];
  });
}

async function factsOf(url: string): Promise<FacadeFacts> {
  const answer = await ask(url, '/status');
  const { capabilities } = (answer?.body ?? {}) as Partial<FacadeFacts>;
  return { url, answers: answer?.status === 200, capabilities: capabilities ?? [] };
}
