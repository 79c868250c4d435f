import type { Client } from 'undici';
import { locate } from '../../chassis/index.ts';
import type { ServerLocation } from '../../chassis/index.ts';
import type { InstanceSettings } from '../../routing/index.ts';
import { Connections } from './connections.ts';
import type { ConnectionLimits } from './connections.ts';
import { InstanceHealth } from './instance-health.ts';

/** One process of an upstream, and the connections to it. */
export interface Instance extends Pick<InstanceSettings, 'version' | 'source'> {
  readonly location: ServerLocation;
  readonly options: Client.Options;
  readonly connections: Connections;
  readonly health: InstanceHealth;
}

/** What operators see of an instance. */
export interface InstanceStatus extends Pick<InstanceSettings, 'version' | 'source'> {
  readonly url: string;
  /** Requests under way at it, and waiting for a connection to it. */
  readonly load: number;
  readonly ejected: boolean;
}

/** The processes of one upstream, and which of them gets the next request. */
export class Instances {
  readonly #limits: ConnectionLimits;
  /** Of processes that are no longer sent to, while answers of theirs are under way. */
  #retired: readonly Connections[] = [];
  #all: readonly Instance[];

  /** @throws TypeError when a URL is none */
  constructor(settings: readonly InstanceSettings[], limits: ConnectionLimits) {
    this.#limits = limits;
    this.#all = settings.map((each) => this.#made(each));
  }

  #made(settings: InstanceSettings): Instance {
    const { version, source } = settings;
    const location = locate(settings);
    const options: Client.Options = {
      pipelining: 1,
      connect: { timeout: this.#limits.connectMs, ...location.connect },
      // Deadlines are the facade's own: they span all tries of a request.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const connections = new Connections(location.origin, this.#limits, options);
    return { version, source, location, options, connections, health: new InstanceHealth() };
  }

  get count(): number {
    return this.#all.length;
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#all.reduce((sum, { connections }) => sum + connections.waiting, 0);
  }

  /**
   * The less busy of two that are drawn (the power of two choices). Those that were ejected are left
   * out, unless that would leave less than half of them: then all get requests, since the rest could
   * not carry the load.
   */
  pick(): Instance {
    const all = this.#all;
    const [first] = all as [Instance];
    if (all.length === 1) return first;
    const now = performance.now();
    const well = all.filter(({ health }) => !health.isEjected(now));
    const drawn = well.length * 2 < all.length ? all : well;
    const at = Math.floor(Math.random() * drawn.length);
    const step = 1 + Math.floor(Math.random() * (drawn.length - 1));
    const one = drawn[at] as Instance;
    const other = drawn[(at + step) % drawn.length] as Instance;
    return other.connections.load < one.connections.load ? other : one;
  }

  /** Sends requests to these from now on; one that stays keeps its connections. */
  replace(settings: readonly InstanceSettings[]): void {
    const before = new Map(this.#all.map((instance) => [instance.location.url, instance]));
    this.#all = settings.map((each) => {
      const url = each.url.replace(/\/+$/, '');
      const known = before.get(url);
      before.delete(url);
      return known ? { ...known, version: each.version, source: each.source } : this.#made(each);
    });
    const gone = [...before.values()].map(({ connections }) => connections);
    for (const connections of gone) connections.retire();
    this.#retired = [...this.#retired, ...gone].filter(({ isIdle }) => !isIdle);
  }

  status(): readonly InstanceStatus[] {
    const now = performance.now();
    return this.#all.map(
      ({ location: { url }, version, source, connections: { load }, health }) => {
        return { url, version, source, load, ejected: health.isEjected(now) };
      },
    );
  }

  /** What waits for a connection is told this. */
  turnAway(error: Error): void {
    for (const { connections } of this.#all) connections.turnAway(error);
  }

  /** Nothing new is sent; what is under way is finished. */
  retire(): void {
    for (const { connections } of this.#all) connections.retire();
  }

  async close(): Promise<void> {
    const open = [...this.#all.map(({ connections }) => connections), ...this.#retired];
    await Promise.all(open.map((connections) => connections.close()));
  }
}
