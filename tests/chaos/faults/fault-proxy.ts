import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What a proxy can do to the connections that go through it. */
export const FAULTS = [
  'latency',
  'reset',
  'black hole',
  'slow close',
  'half a body',
  'bandwidth',
] as const;
export type Fault = (typeof FAULTS)[number];

/** `latency`: how much later each piece of an answer comes, in ms. */
export const LATENCY_MS = 200;
/** `bandwidth`: so many bytes of an answer come every 20 ms, on each connection. */
const SLICE_BYTES = 64;
const SLICE_MS = 20;
/** `slow close`: a connection that has been idle for so long is dead, and its end comes so much later. */
const IDLE_MS = 20;
const CLOSE_MS = 300;

const END_OF_HEAD = '\r\n\r\n';
/** The first line of a request of clients: probes of health and fences have other paths. */
const REQUEST = /[A-Z]+ \/api\/\S* HTTP\/1\.1\r\n/g;

interface Address {
  readonly hostname: string;
  readonly port: string;
}

/**
 * A TCP proxy in front of one server, which passes everything on until it is told to do harm. A fault begins
 * at once, on connections that are open as well, and ends at once.
 */
export class FaultProxy {
  /** How many requests for `/api/` have come, whatever became of them. */
  requests = 0;
  readonly #server: Server;
  readonly #target: () => Address | undefined;
  readonly #links = new Set<Link>();
  #fault: Fault | undefined;

  private constructor(target: () => Address | undefined) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const link = new Link(client, this.#target(), this);
      this.#links.add(link);
      client.once('close', () => this.#links.delete(link));
    });
  }

  /** @param target where the server is; asked for each connection, since it may not run yet */
  static async open(target: () => Address | undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  set fault(fault: Fault | undefined) {
    this.#fault = fault;
    for (const link of this.#links) link.faultChanged();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const link of this.#links) link.reset();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

/** One connection of a client, and the one to the server that belongs to it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket | undefined;
  readonly #proxy: FaultProxy;
  /** Answers in their order, however late. */
  #answers = Promise.resolve();
  /** The client has sent something that never arrives. */
  #hasLost = false;
  #isDead = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(client: Socket, target: Address | undefined, proxy: FaultProxy) {
    this.#client = client;
    this.#proxy = proxy;
    client.on('error', () => this.reset());
    client.on('close', () => this.reset());
    if (!target) {
      client.resetAndDestroy();
      return;
    }
    const { hostname: host, port } = target;
    const server = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
    this.#server = server;
    server.on('error', () => this.reset());
    client.on('data', (chunk: Buffer) => this.#ask(server, chunk));
    server.on('data', (chunk: Buffer) => this.#answer(server, chunk));
    client.on('end', () => server.end());
    server.on('end', () => {
      this.#answers = this.#answers.then(() => void client.end());
    });
  }

  faultChanged(): void {
    const { fault } = this.#proxy;
    // What a black hole has swallowed is not sent again here, as TCP would.
    if (fault === 'reset' || this.#hasLost) this.reset();
    else if (fault === 'slow close') this.#dieWhenIdle();
  }

  reset(): void {
    clearTimeout(this.#idle);
    this.#server?.destroy();
    if (!this.#client.destroyed) this.#client.resetAndDestroy();
  }

  #ask(server: Socket, chunk: Buffer): void {
    this.#proxy.requests += chunk.toString('latin1').match(REQUEST)?.length ?? 0;
    if (!this.#isDead) clearTimeout(this.#idle);
    const { fault } = this.#proxy;
    if (fault === 'reset') this.reset();
    else if (fault === 'black hole') this.#hasLost = true;
    else if (!this.#isDead) this.#pass(chunk, server, this.#client);
  }

  #answer(server: Socket, chunk: Buffer): void {
    this.#answers = this.#answers.then(() => this.#deliver(server, chunk));
  }

  async #deliver(server: Socket, chunk: Buffer): Promise<void> {
    const { fault } = this.#proxy;
    const client = this.#client;
    if (fault === 'black hole') this.#hasLost = true;
    else if (fault === 'half a body') this.#deliverHalf(chunk);
    else if (fault === 'bandwidth') await this.#deliverSlowly(chunk);
    else {
      if (fault === 'latency') await delay(LATENCY_MS);
      this.#pass(chunk, client, server);
      if (fault === 'slow close') this.#dieWhenIdle();
    }
  }

  /** A chunk with the head of an answer loses half of its body; any other piece loses its second half. */
  #deliverHalf(chunk: Buffer): void {
    const head = chunk.indexOf(END_OF_HEAD);
    const begin = head === -1 ? 0 : head + END_OF_HEAD.length;
    this.#client.end(chunk.subarray(0, begin + Math.floor((chunk.length - begin) / 2)));
    this.#server?.destroy();
  }

  async #deliverSlowly(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#client.destroyed; at += SLICE_BYTES) {
      const slow = this.#proxy.fault === 'bandwidth';
      const end = slow ? at + SLICE_BYTES : chunk.length;
      this.#client.write(chunk.subarray(at, end));
      if (!slow) return;
      await delay(SLICE_MS);
    }
  }

  /** The server closes an idle connection, and the client hears of it late. */
  #dieWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#proxy.fault !== 'slow close') return;
      this.#isDead = true;
      this.#server?.destroy();
      this.#idle = setTimeout(() => void this.#client.end(), CLOSE_MS);
    }, IDLE_MS);
  }

  #pass(chunk: Buffer, to: Socket, from: Socket): void {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  }
}
