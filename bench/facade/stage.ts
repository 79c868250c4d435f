import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findLoadGenerator, startNode } from '../harness/index.ts';
import type { BenchContext, Child, LoadGenerator, LoadOptions } from '../harness/index.ts';
import { nginxVersion, startNginxUpstream } from './nginx.ts';

/** What every measurement shares. */
export interface Stage extends Pick<BenchContext<unknown>, 'folder' | 'rivals' | 'signal' | 'say'> {
  readonly rounds: number;
  readonly generator: LoadGenerator;
  readonly upstreams: Upstreams;
  /** Where the proxy that is measured runs; undefined: anywhere. */
  readonly proxyCores: string | undefined;
  readonly reads: Load;
  readonly writes: Load;
  readonly tools: Readonly<Record<string, string>>;
}

/** What the proxies forward to; each answers 1 KB. */
export interface Upstreams {
  /** A bare node:http server, which services are made of. */
  readonly service: Upstream;
  /** One that answers from memory, where nginx is installed: it costs next to nothing. */
  readonly nginx: Upstream | undefined;
  readonly quickest: Upstream;
}

type Upstream = Child & { readonly url: string };
type Load = Omit<LoadOptions, 'url'>;

export interface FacadeOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly only?: string;
}

/** The path of a capability's route. */
export const PATH = '/api/items/1';
const CONNECTIONS = 32;
const ANSWER = JSON.stringify({ text: 'x'.repeat(1_024 - 11) });

/** Starts the upstreams, and finds out what this machine has. */
export async function setStage(context: BenchContext<FacadeOptions>): Promise<Stage> {
  const { folder, rivals, signal, say } = context;
  const { seconds, rounds } = context.options;
  const apart = await coresApart();
  const generator = await findLoadGenerator(apart?.others);
  const nginx = await nginxVersion();
  const service = await startNodeUpstream(apart?.others);
  const quick = nginx && (await startNginxUpstream(folder, ANSWER, apart?.others));
  const reads: Load = {
    method: 'GET',
    connections: CONNECTIONS,
    seconds,
    callerHeader: 'x-customer-id',
  };
  return {
    folder,
    rivals,
    signal,
    say,
    rounds,
    generator,
    upstreams: { service, nginx: quick || undefined, quickest: quick || service },
    proxyCores: apart?.proxies,
    reads,
    writes: { ...reads, method: 'POST', body: ANSWER },
    tools: {
      load: generator.name,
      ...(nginx === undefined ? {} : { nginx }),
      cores: apart ? `proxies on core ${apart.proxies}, the rest on ${apart.others}` : 'not pinned',
    },
  };
}

/** Ends what `setStage` has started. */
export async function clearStage({ upstreams: { service, nginx } }: Stage): Promise<void> {
  await Promise.all([service.stop(), nginx?.stop()]);
}

/** The proxy alone on one core: otherwise it would be measured how well it shares. */
async function coresApart(): Promise<{ proxies: string; others: string } | undefined> {
  const cores = availableParallelism();
  if (cores < 2) return undefined;
  try {
    await promisify(execFile)('taskset', ['-c', '0', 'true']);
  } catch {
    return undefined;
  }
  return { proxies: '0', others: cores === 2 ? '1' : `1-${cores - 1}` };
}

async function startNodeUpstream(cores: string | undefined): Promise<Upstream> {
  const program = fileURLToPath(new URL('rivals/upstream.js', import.meta.url));
  const child = await startNode(program, { cores, env: { UPSTREAM_BODY: ANSWER } });
  return { ...child, url: `http://127.0.0.1:${child.ports['http']}` };
}
