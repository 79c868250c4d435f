import { BlockList, isIP } from 'node:net';
import type { Logger, OperatorToken } from '../../chassis/index.ts';
import { BEAT_MS, unsealEntry } from '../../chassis/redis/index.ts';
import type { ServiceEntry } from '../../chassis/redis/index.ts';

/** A process whose entry has not changed for so long is gone, or paused. */
const ALIVE_MS = 5 * BEAT_MS;
/** After so long its entry is taken out of the registry. */
const KEPT_MS = 60_000;
/** A Redis that comes back may be empty: processes have so long to register anew. */
const RETURN_MS = 2 * BEAT_MS;

interface Known {
  readonly stored: string;
  readonly entry: ServiceEntry;
  /** When it was first read as it is now. */
  readonly changedAt: number;
}

interface Options {
  readonly service: string;
  /** In which the addresses of its processes are, such as `10.1.0.0/16`. */
  readonly networks: readonly string[];
  readonly token: OperatorToken;
  readonly log: Logger;
}

/**
 * The processes of one service by what is stored of them in Redis. Whether one is alive is decided by this
 * process's clock alone: its entry has to change. All times are in ms, of a clock that only goes forward.
 */
export class RegisteredInstances {
  readonly networks: readonly string[];
  readonly #options: Options;
  readonly #allowed = new BlockList();
  readonly #known = new Map<string, Known>();
  #ignored: ReadonlySet<string> = new Set();
  #alive: readonly ServiceEntry[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.networks = options.networks;
    for (const network of options.networks) {
      const [address = '', prefix] = network.split('/');
      this.#allowed.addSubnet(address, Number(prefix), familyOf(address));
    }
  }

  /** How many entries were ignored when they were last read. */
  get ignored(): number {
    return this.#ignored.size;
  }

  /** Those that are alive, by what was last read. */
  get alive(): readonly ServiceEntry[] {
    return this.#alive;
  }

  /**
   * Takes over what is stored.
   * @param stored entries by URL
   * @param since from when on the registry has been read without a gap: no entry can have changed before
   * @returns URLs of processes that are long gone, whose entries can be removed
   */
  read(stored: Readonly<Record<string, string>>, now: number, since: number): readonly string[] {
    const ignored = new Set<string>();
    for (const [url, text] of Object.entries(stored)) {
      if (this.#known.get(url)?.stored === text) continue;
      const entry = unsealEntry(this.#options.token, this.#options.service, text);
      const objection = this.#objectionTo(url, entry);
      if (objection === undefined && entry) {
        this.#known.set(url, { stored: text, entry, changedAt: now });
        continue;
      }
      ignored.add(url);
      if (!this.#ignored.has(url)) this.#alarm(url, objection);
    }
    this.#ignored = ignored;
    for (const url of this.#known.keys()) {
      if (!(url in stored) && now - since >= RETURN_MS) this.#known.delete(url);
    }
    const silentFor = ({ changedAt }: Known): number => now - Math.max(changedAt, since);
    const known = [...this.#known.values()];
    this.#alive = known.filter((each) => silentFor(each) < ALIVE_MS).map(({ entry }) => entry);
    return known.filter((each) => silentFor(each) >= KEPT_MS).map(({ entry }) => entry.url);
  }

  #objectionTo(url: string, entry: ServiceEntry | undefined): string | undefined {
    if (entry?.url !== url) return 'no process with our token has written it';
    const address = new URL(url).hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && this.#allowed.check(address, familyOf(address))) return undefined;
    return 'its address is in none of the allowed networks';
  }

  #alarm(url: string, objection: string | undefined): void {
    const { service, log } = this.#options;
    log.warn({ service, url, objection }, 'an entry of the registry of services is ignored');
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
