import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findLoadGenerator, startNode } from '../harness/index.ts';
import type { Child, LoadGenerator, LoadOptions } from '../harness/index.ts';
import { nginxVersion, startNginxUpstream } from './nginx.ts';

/** What every measurement shares. */
export interface Stage {
  readonly folder: string;
  readonly rounds: number;
  readonly generator: LoadGenerator;
  /** What the proxies forward to; it answers 1 KB. */
  readonly upstream: Child & { readonly url: string };
  /** Where the proxy that is measured runs; undefined: anywhere. */
  readonly proxyCores: string | undefined;
  readonly reads: Load;
  readonly writes: Load;
  readonly tools: Readonly<Record<string, string>>;
}

type Load = Omit<LoadOptions, 'url'>;

interface StageOptions {
  readonly folder: string;
  readonly seconds: number;
  readonly rounds: number;
}

/** The path of a capability's route. */
export const PATH = '/api/items/1';
const CONNECTIONS = 32;
const ANSWER = JSON.stringify({ text: 'x'.repeat(1_024 - 11) });

/** Starts the upstream, and finds out what this machine has. */
export async function setStage({ folder, seconds, rounds }: StageOptions): Promise<Stage> {
  const apart = await coresApart();
  const generator = await findLoadGenerator(apart?.others);
  const nginx = await nginxVersion();
  const upstream = await (nginx
    ? startNginxUpstream(folder, ANSWER, apart?.others)
    : startNodeUpstream(apart?.others));
  const reads: Load = {
    method: 'GET',
    connections: CONNECTIONS,
    seconds,
    callerHeader: 'x-customer-id',
  };
  return {
    folder,
    rounds,
    generator,
    upstream,
    proxyCores: apart?.proxies,
    reads,
    writes: { ...reads, method: 'POST', body: ANSWER },
    tools: {
      load: generator.name,
      upstream: nginx ?? 'node:http upstream',
      cores: apart ? `proxies on core ${apart.proxies}, the rest on ${apart.others}` : 'not pinned',
    },
  };
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

async function startNodeUpstream(cores: string | undefined): Promise<Stage['upstream']> {
  const program = fileURLToPath(new URL('rivals/upstream.js', import.meta.url));
  const child = await startNode(program, { cores, env: { UPSTREAM_BODY: ANSWER } });
  return { ...child, url: `http://127.0.0.1:${child.ports['http']}` };
}
