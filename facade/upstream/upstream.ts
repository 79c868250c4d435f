import type { Dispatcher } from 'undici';
import type { ServerLocation } from '../../chassis/index.ts';
import { instancesOf } from '../../routing/index.ts';
import type { DnsSettings, FigConfig, InstanceSettings } from '../../routing/index.ts';
import { causeOf } from '../counting/index.ts';
import type { UpstreamFailures } from '../counting/index.ts';
import type { ConnectionLimits } from './connections.ts';
import { NoRoom } from './connections.ts';
import type { Exchange } from './exchange.ts';
import { Instances } from './instances.ts';
import type { InstanceStatus } from './instances.ts';
import { askOnce } from './one-off.ts';
import { UpstreamIll } from './resilience.ts';
import type { Resilience, Timeouts, Verdict } from './resilience.ts';

const SERVER_ERRORS = 500;
/** Causes that show that no process listens. */
const GONE = new Set(['refused', 'unreachable', 'dns', 'connect_timeout']);

/** What takes a request to a server. */
export interface Sender {
  readonly name: string;
  readonly timeouts?: Timeouts | undefined;
  dispatch(
    method: string,
    target: string,
    headers: string[],
    body: Dispatcher.DispatchOptions['body'],
    exchange: Exchange,
  ): void;
  /** The head of an answer has come. */
  answered(status: number, exchange: Exchange): void;
  /** An exchange with it came to nothing, or broke off. */
  failed(error: Error, exchange: Exchange): void;
  /** An exchange with it is over, whatever came of it. */
  left(exchange: Exchange): void;
}

/** One server behind the facade, of one process or several that do the same. */
export class Upstream implements Sender {
  readonly name: string;
  /** Under which it is named in messages, and in what it answers. */
  readonly url: string;
  readonly resilience: Resilience;
  /** Where processes of it may register; absent where the configuration names them. */
  readonly registry: { readonly networks: readonly string[] } | undefined;
  /** How a name server is asked for processes of it; absent where none is. */
  readonly dns: DnsSettings | undefined;
  /** How many entries of the registry were ignored when it was last read. */
  entriesIgnored = 0;
  /** The processes that the configuration names. */
  readonly #configured: readonly InstanceSettings[];
  readonly #ca: string | undefined;
  readonly #failures: UpstreamFailures;
  readonly #instances: Instances;

  /** @throws TypeError when a URL is none */
  constructor(
    name: string,
    settings: FigConfig['upstreams'][string],
    limits: ConnectionLimits,
    failures: UpstreamFailures,
    resilience: Resilience,
  ) {
    this.name = name;
    const configured = instancesOf(settings);
    this.url = configured[0].url.replace(/\/+$/, '');
    const { registry, dns, ca } = typeof settings === 'string' ? {} : settings;
    this.registry = registry;
    this.dns = dns;
    this.#ca = ca;
    this.#configured = configured;
    this.resilience = resilience;
    this.#failures = failures;
    this.#instances = new Instances(configured, limits);
    const { breaker } = resilience;
    // What waits for a connection would only come to an ill server later.
    if (breaker) {
      breaker.onOpen = () => this.#instances.turnAway(new UpstreamIll(breaker.msLeft));
    }
  }

  dispatch(
    method: string,
    target: string,
    headers: string[],
    body: Dispatcher.DispatchOptions['body'],
    exchange: Exchange,
  ): void {
    if (!this.admits(exchange)) return;
    const { connections, location, health } = this.#instances.pick();
    exchange.health = health;
    connections.dispatch(
      { method, path: location.prefix + target, headers, body: body ?? null },
      exchange,
    );
  }

  /** Where the next connection of its own is to go, for what `dispatch` can't send. */
  place(exchange: Exchange): ServerLocation {
    const { location, health } = this.#instances.pick();
    exchange.health = health;
    return location;
  }

  /** Whether another process can be asked where one was not reached. */
  get hasOthers(): boolean {
    return this.#instances.count > 1;
  }

  /** Sends requests to the processes that were found; where none was, to those of the configuration. */
  follow(
    found: readonly Pick<InstanceSettings, 'url' | 'version'>[],
    source: InstanceSettings['source'],
  ): void {
    const settings = found.map(({ url, version }): InstanceSettings => {
      return { url, version, ca: this.#ca, source };
    });
    this.#instances.replace(settings.length > 0 ? settings : this.#configured);
  }

  get instances(): readonly InstanceStatus[] {
    return this.#instances.status();
  }

  /** Whether its breaker lets an exchange through; one that it does not is told so. */
  admits(exchange: Exchange): boolean {
    const { breaker } = this.resilience;
    if (!breaker) return true;
    exchange.ticket = breaker.enter();
    if (exchange.ticket !== 0) return true;
    exchange.onError(new UpstreamIll(breaker.msLeft));
    return false;
  }

  get timeouts(): Timeouts | undefined {
    return this.resilience.timeouts;
  }

  /** How many requests wait for a connection to it. */
  get waiting(): number {
    return this.#instances.waiting;
  }

  answered(status: number, exchange: Exchange): void {
    const { health } = exchange;
    exchange.health = undefined;
    if (status < SERVER_ERRORS) health?.well();
    else health?.ill(performance.now(), false);
    this.#leave(exchange, status >= SERVER_ERRORS ? 'ill' : 'well');
  }

  failed(error: Error, exchange: Exchange): void {
    this.#failures.record(this.name, error);
    const wasSent = !(error instanceof NoRoom || error instanceof UpstreamIll);
    if (wasSent) exchange.health?.ill(performance.now(), GONE.has(causeOf(error)));
    exchange.health = undefined;
    this.#leave(exchange, wasSent ? 'ill' : undefined);
  }

  left(exchange: Exchange): void {
    this.#leave(exchange, undefined);
  }

  #leave(exchange: Exchange, verdict: Verdict): void {
    const { ticket } = exchange;
    if (ticket === 0) return;
    exchange.ticket = 0;
    this.resilience.breaker?.leave(ticket, verdict);
  }

  /**
   * Asks whether it answers, on a connection of its own; any answer counts.
   * @returns why it does not; undefined when it does
   */
  trouble(): Promise<Error | undefined> {
    return this.#askOnce('HEAD', '/').then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  }

  /** What it answers to a GET of its own, beside all others. @throws Error when it does not */
  ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.#askOnce('GET', path, headers);
  }

  #askOnce(
    method: 'GET' | 'HEAD',
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { location, options } = this.#instances.pick();
    return askOnce(location.origin, options, method, location.prefix + path, headers);
  }

  /** Nothing new is sent to it; what is under way is finished. */
  retire(): void {
    this.#instances.retire();
  }

  close(): Promise<void> {
    return this.#instances.close();
  }
}
