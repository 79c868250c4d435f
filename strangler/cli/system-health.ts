import { askAsOperator, errorText, START_COMMAND } from '../../chassis/index.ts';
import type { Finding } from '../doctor/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { Context } from './context.ts';
import type { FacadeAnswer } from './facade-status.ts';

const REDIS_MS = 1_000;

/** What a facade tells of its upstreams. */
interface Reach {
  readonly upstreams: readonly {
    readonly name: string;
    readonly url: string;
    readonly trouble: { readonly cause: string; readonly error: string } | null;
  }[];
}

/** What a cause means, for people. */
const WHY: Readonly<Record<string, string>> = {
  refused: 'nothing listens there',
  unreachable: 'the network does not reach it',
  dns: 'its name is not known',
  tls: 'the TLS handshake fails: look at its certificate, and at who has signed it',
  connect_timeout: 'it does not accept connections in time',
  timeout: 'it accepts connections, and does not answer in time',
  reset: 'it breaks connections off',
  malformed: 'what it answers is no HTTP/1.1',
};

/** Who owns a capability, by its fences. */
export interface FencedOwner {
  readonly capability: string;
  readonly owner: SideName | null;
  readonly epoch: number;
}

/**
 * Examines what is around the databases: Redis, the facades, and the servers behind these.
 * @param facades what each answers when it is asked for its status
 */
export async function examineSurroundings(
  context: Context,
  truths: readonly FencedOwner[],
  facades: readonly FacadeAnswer[],
): Promise<readonly Finding[]> {
  const found = await Promise.all([
    examineRedis(context.env['REDIS_URL']),
    ...facades.map((facade) => examineFacade(context, facade, truths)),
  ]);
  return found.flat();
}

function finding(code: string, what: string, why: string, command: string): Finding {
  const remedies = [{ command, reason: 'starts what is away' }];
  return { code, capability: null, level: 'broken', what, why, remedies, repair: null };
}

async function examineRedis(url: string | undefined): Promise<readonly Finding[]> {
  if (!url) return [];
  const { Redis } = await import('ioredis');
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
    const reason = errorText(error);
    const why =
      'it decides nothing and keeps nothing: changes are read from the feed, facades ask instead of ' +
      'being told; everything goes on, a little slower';
    return [finding('redis_away', `Redis does not answer: ${reason}`, why, START_COMMAND)];
  } finally {
    redis.disconnect();
  }
}

async function examineFacade(
  context: Context,
  { url, code, facts }: FacadeAnswer,
  truths: readonly FencedOwner[],
): Promise<readonly Finding[]> {
  if (code === 401) {
    const what = `the facade at ${url} refuses the operators' token of ${context.tokenFile}`;
    const why = 'what it knows of owners cannot be checked; set FIG_TOKEN_FILE to its token';
    return [finding('token_refused', what, why, 'fig config print')];
  }
  if (!facts) {
    const why = 'its view of the owners is unknown, and clients may get no answer';
    return [finding('facade_away', `no facade answers at ${url}`, why, START_COMMAND)];
  }
  const upstreams = await examineUpstreams(context, url);
  const stale = facts.capabilities.flatMap(({ name, owner, epoch, known }) => {
    const truth = truths.find(({ capability }) => capability === name);
    if (!known || !truth || truth.owner === null || truth.epoch <= epoch) return [];
    const what =
      `the facade at ${url} takes ${owner} for the owner of ${name} (epoch ${epoch}); ` +
      `the owner is ${truth.owner} (epoch ${truth.epoch})`;
    const why =
      'its writes are turned away by the fence and sent on, so that none is lost, but each takes a ' +
      'detour; it is cut off from Redis and the engine, or they are away';
    return [finding('facade_stale', what, why, START_COMMAND)];
  });
  return [...stale, ...upstreams];
}

/** The facade asks them itself: what it reaches is what counts. */
async function examineUpstreams(context: Context, url: string): Promise<readonly Finding[]> {
  const answer = await askAsOperator(context, url, '/upstreams');
  const { upstreams } = (answer?.body ?? {}) as Partial<Reach>;
  return (upstreams ?? []).flatMap(({ name, url: at, trouble }) => {
    if (trouble === null) return [];
    const what = `the facade at ${url} gets no answer from upstream ${name} (${at}): ${trouble.error}`;
    const why = `${WHY[trouble.cause] ?? 'it fails'}; requests that go there are answered 502 or 504`;
    return [finding('upstream_away', what, why, START_COMMAND)];
  });
}
