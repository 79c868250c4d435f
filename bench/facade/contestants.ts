import { mkdtemp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { startNode } from '../harness/index.ts';
import type { Child } from '../harness/index.ts';
import { nginxVersion, startNginxProxy } from './nginx.ts';
import { startOurFacade } from './our-facade.ts';
import type { OurFacade } from './our-facade.ts';

/** A proxy in a process of its own, in front of the common upstream. */
export interface Contestant extends Child {
  readonly name: string;
  readonly url: string;
}

export interface Field {
  readonly ours: Contestant & OurFacade;
  /** Ours first. */
  readonly all: readonly Contestant[];
  stop(): Promise<void>;
}

const RIVALS: Readonly<Record<string, string>> = {
  express: 'express-middleware',
  'express, keep-alive': 'express-middleware-keep-alive',
  'http-proxy-middleware': 'node-middleware',
  httpxy: 'httpxy',
  fastify: 'fastify',
  'bare undici': 'bare-undici',
};

interface FieldOptions {
  readonly folder: string;
  readonly upstreamUrl: string;
  /** Where the proxies run. */
  readonly cores: string | undefined;
  /** Whether ours has any. */
  readonly rivals: boolean;
}

/** Starts every contestant. */
export async function startField(options: FieldOptions): Promise<Field> {
  const { upstreamUrl, cores } = options;
  const folder = await mkdtemp(join(options.folder, 'field-'));
  const started: Contestant[] = [];
  try {
    const facade = await startOurFacade({
      folder: join(folder, 'ours'),
      legacyUrl: upstreamUrl,
      extractedUrl: upstreamUrl,
      cores,
    });
    const ours = { ...facade, name: 'ours' };
    started.push(ours);
    for (const [name, file] of Object.entries(options.rivals ? RIVALS : {})) {
      const program = fileURLToPath(new URL(`rivals/${file}.js`, import.meta.url));
      const child = await startNode(program, { cores, env: { UPSTREAM_URL: upstreamUrl } });
      started.push({ ...child, name, url: `http://127.0.0.1:${child.ports['http']}` });
    }
    if (options.rivals && (await nginxVersion())) {
      started.push({ ...(await startNginxProxy(folder, upstreamUrl, cores)), name: 'nginx' });
    }
    return { ours, all: started, stop: () => stopAll(started) };
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

async function stopAll(contestants: readonly Child[]): Promise<void> {
  await Promise.all(contestants.map((each) => each.stop()));
}
