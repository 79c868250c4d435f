import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import type { Logger } from '../../chassis/index.ts';
import type { DnsSettings } from '../../routing/index.ts';
import type { Upstream } from './upstream.ts';

const ANSWER_MS = 1_000;
/** A name server that says that there are none; any other failure says nothing of the processes. */
const NONE = new Set(['ENOTFOUND', 'ENODATA']);

interface Followed {
  readonly upstream: Upstream;
  readonly dns: DnsSettings;
  readonly resolver: Resolver;
  readonly timer: NodeJS.Timeout;
  /** Whether a question is under way: an answer that is late must not replace a newer one. */
  isAsking: boolean;
}

/**
 * Keeps a copy of which processes of upstreams a name server lists, such as those of a headless service of
 * Kubernetes or of Consul. While no name server answers, requests go on by the copy.
 */
export class DnsDiscovery {
  readonly #log: Logger;
  #isStarted = false;
  #followed: readonly Followed[] = [];
  /** The URLs that were last found, by what was asked. */
  readonly #found = new Map<string, readonly string[]>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Follows these from now on; what is known of one stays while its settings do. */
  adopt(upstreams: readonly Upstream[]): void {
    this.close();
    this.#followed = upstreams.flatMap((upstream) => {
      const { dns } = upstream;
      if (!dns) return [];
      const resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
      if (dns.servers) resolver.setServers(dns.servers);
      const known = this.#found.get(keyOf(upstream));
      if (known) upstream.follow(known.map(asFound), 'dns');
      const timer = setInterval(() => void this.#look(followed), dns.everyMs).unref();
      const followed: Followed = { upstream, dns, resolver, timer, isAsking: false };
      if (this.#isStarted) void this.#look(followed);
      return [followed];
    });
  }

  /** Asks for the first time; resolves once there are answers, or none came in time. */
  async start(): Promise<void> {
    this.#isStarted = true;
    await Promise.all(this.#followed.map((each) => this.#look(each)));
  }

  close(): void {
    for (const { resolver, timer } of this.#followed) {
      clearInterval(timer);
      resolver.cancel();
    }
    this.#followed = [];
  }

  async #look(followed: Followed): Promise<void> {
    const { upstream, dns } = followed;
    if (followed.isAsking) return;
    followed.isAsking = true;
    try {
      const places = await placesOf(followed);
      const { pathname } = new URL(upstream.url);
      const urls = [...new Set(places)].map((place) => `http://${place}${pathname}`).sort();
      if (!this.#followed.includes(followed)) return;
      this.#found.set(keyOf(upstream), urls);
      upstream.follow(urls.map(asFound), 'dns');
    } catch (error) {
      this.#log.debug({ err: error, name: dns.name }, 'no name server lists the instances');
    } finally {
      followed.isAsking = false;
    }
  }
}

/** Address and port of each process. @throws Error when no name server answers */
async function placesOf({ dns, resolver }: Followed): Promise<readonly string[]> {
  if (dns.type !== 'SRV') {
    const addresses = await addressesOf(resolver, dns.name, dns.type);
    return addresses.map((address) => placeOf(address, dns.port));
  }
  const records = await listed(resolver.resolveSrv(dns.name));
  const places = records.map(async ({ name, port }) =>
    (await addressesOf(resolver, name, 'A')).map((address) => placeOf(address, port)),
  );
  return (await Promise.all(places)).flat();
}

function addressesOf(
  resolver: Resolver,
  name: string,
  type: 'A' | 'AAAA',
): Promise<readonly string[]> {
  return listed(type === 'A' ? resolver.resolve4(name) : resolver.resolve6(name));
}

async function listed<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (error) {
    if (NONE.has((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function placeOf(address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

function asFound(url: string): { readonly url: string; readonly version: null } {
  return { url, version: null };
}

function keyOf({ name, url, dns }: Upstream): string {
  return JSON.stringify([name, url, dns]);
}
