import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import { errorText } from '../../chassis/index.ts';
import type { Sample } from './sample.ts';

const ANSWER_MS = 30_000;

/** What a service has answered. */
export interface ServiceAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Parsed where it is JSON; otherwise its text. */
  readonly body: unknown;
  readonly tookMs: number;
}

/** The service that is tried, at its own port: no facade in between. */
export class Service {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param headers of every request */
  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = url.replace(/\/$/, '');
    this.#headers = headers;
  }

  /**
   * Sends a request.
   * @param headers beyond those of every request, such as `idempotency-key`
   * @throws Error that says that nothing was answered
   */
  async send(
    { method, path, body }: Sample,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ServiceAnswer> {
    const startedAt = performance.now();
    const url = new URL(`${this.url}${path}`);
    // A connection each: a service may close one that is idle just when it is used again.
    const options = { method, agent: false, timeout: ANSWER_MS };
    const asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      ...options,
      headers: {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...this.#headers,
        ...headers,
      },
    });
    try {
      asked.on('timeout', () =>
        asked.destroy(new Error(`nothing came for ${ANSWER_MS / 1_000} s`)),
      );
      asked.end(body);
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      const text = await readText(answer);
      return {
        status: answer.statusCode ?? 0,
        contentType: answer.headers['content-type'] ?? '',
        body: parsed(text),
        tookMs: performance.now() - startedAt,
      };
    } catch (error) {
      throw new Error(`${method} ${url.href} was not answered: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  get(path: string, headers?: Readonly<Record<string, string>>): Promise<ServiceAnswer> {
    return this.send({ method: 'GET', path, body: undefined }, headers);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
