import { Client } from 'pg';
import { backoff, errorText } from '../../../chassis/index.ts';
import type { CommitWatch } from '../../sides/side-database.ts';

/** How long a server may take to answer a connection, in ms. */
export const CONNECT_MS = 10_000;

/** Why a listener hears nothing; null when it hears again. */
export type OnLost = (reason: string | null) => void;

/** The first pause before a connection is made again, and the longest, in ms; each is twice the one before. */
const AGAIN = { firstMs: 50, longestMs: 5_000 };

/** A connection that only listens. It is made again after it was lost, when somebody asks for it. */
export class Listener implements CommitWatch {
  readonly #url: string;
  readonly #channel: string;
  readonly #onNotify: () => void;
  readonly #onLost: OnLost;
  #client: Client | undefined;
  #closed = false;
  /** Since it has listened for as long as the longest pause. */
  #losses = 0;
  #retryAt = 0;
  #heardSince: number | undefined;
  #isLost = false;

  constructor(url: string, channel: string, onNotify: () => void, onLost: OnLost) {
    this.#url = url;
    this.#channel = channel;
    this.#onNotify = onNotify;
    this.#onLost = onLost;
  }

  ensure(): boolean {
    if (this.#client !== undefined) return this.#heardSince !== undefined;
    if (this.#closed || performance.now() < this.#retryAt) return false;
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'fig engine listening',
    });
    this.#client = client;
    client.on('error', (error) => this.#lose(client, errorText(error)));
    client.on('end', () => this.#lose(client, 'the server has closed the connection'));
    client.on('notification', this.#onNotify);
    void this.#listen(client).catch((error: unknown) => {
      this.#lose(client, errorText(error));
      return client.end();
    });
    return false;
  }

  close(): void {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    void client?.end().catch(() => undefined);
  }

  async #listen(client: Client): Promise<void> {
    await client.connect();
    await client.query(`LISTEN "${this.#channel.replaceAll('"', '""')}"`);
    this.#heardSince = performance.now();
    if (this.#isLost) this.#onLost(null);
    this.#isLost = false;
    // What was committed before it listened has told nobody.
    this.#onNotify();
  }

  /** A server that is away, or ends each connection at once, is asked less and less often. */
  #lose(client: Client, reason: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    const now = performance.now();
    const lasted = this.#heardSince !== undefined && now - this.#heardSince >= AGAIN.longestMs;
    this.#heardSince = undefined;
    this.#losses = lasted ? 1 : this.#losses + 1;
    this.#retryAt = now + backoff(this.#losses, AGAIN);
    if (!this.#isLost) this.#onLost(reason);
    this.#isLost = true;
  }
}
