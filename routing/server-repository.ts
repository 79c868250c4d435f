import { randomUUID } from 'node:crypto';
import { InMemStorageProvider } from 'unleash-client';
import repository from 'unleash-client/lib/repository/index.js';
import { redacted } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import { checkFlags } from './flag-file.ts';
import { Legibility } from './legibility.ts';

const REFRESH_MS = 1_000;
/** The client asks no more once its token was refused; a token may be granted what it lacks. */
const REFUSED_MS = 5_000;

interface ServerOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly appName: string;
  readonly log: Logger;
}

/** The flags of an Unleash server: what its client keeps, with whether the server can be read. */
export class ServerRepository extends repository.default {
  readonly legibility: Legibility;
  #timer: NodeJS.Timeout | undefined;

  constructor({ url, token, appName, log }: ServerOptions) {
    super({
      url: url.endsWith('/') ? url : `${url}/`,
      appName,
      instanceId: randomUUID(),
      connectionId: randomUUID(),
      refreshInterval: REFRESH_MS,
      mode: { type: 'polling', format: 'full' },
      // Nothing from an earlier life: without an answer of this server no flag means anything.
      bootstrapProvider: { readBootstrap: () => Promise.resolve(undefined) },
      storageProvider: new InMemStorageProvider(),
      ...(token === undefined ? {} : { headers: { Authorization: token } }),
    });
    this.legibility = new Legibility('server', redacted(url), log);
    const told = (message: string): void => this.#failed(message.replaceAll(url, redacted(url)));
    this.on('error', (error: Error) => told(error.message));
    this.on('warn', (message: unknown) => told(String(message)));
    this.on('unchanged', () => this.legibility.read());
  }

  /** Takes an answer in full, or not at all: part of one would say of some flags that they are off. */
  override async save(
    ...[response, fromApi]: Parameters<InstanceType<typeof repository.default>['save']>
  ): Promise<void> {
    if (response.type === 'full') {
      checkFlags(response);
      for (const feature of response.features) feature.strategies ??= [];
    }
    this.legibility.read();
    await super.save(response, fromApi);
  }

  override stop(): void {
    clearTimeout(this.#timer);
    super.stop();
  }

  #failed(message: string): void {
    const { reason, refused } = explained(message);
    this.legibility.failed(reason);
    if (!refused) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.fetch(), REFUSED_MS).unref();
  }
}

const API = 'UNLEASH_URL has to name its API, as in http://127.0.0.1:4242/api';

/** What the client says, with what helps. */
function explained(message: string): { readonly reason: string; readonly refused: boolean } {
  const [, status] = /responded (?:\w+ \()?(\d{3})/.exec(message) ?? [];
  if (status === '401' || status === '403') {
    // A server also answers so where a path is none of its API's.
    const reason = `the server answered ${status}; UNLEASH_TOKEN has to be a token for backends, and ${API}`;
    return { reason, refused: true };
  }
  const isNoApi = message.includes('FILE_NOT_FOUND') || /JSON|neither a delta/.test(message);
  if (isNoApi) {
    return { reason: `${message}; ${API}`, refused: false };
  }
  return { reason: message, refused: false };
}
