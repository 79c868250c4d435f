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
    try {
      const answer = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...this.#headers,
          ...headers,
        },
        body: body ?? null,
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const text = await answer.text();
      return {
        status: answer.status,
        contentType: answer.headers.get('content-type') ?? '',
        body: parsed(text),
        tookMs: performance.now() - startedAt,
      };
    } catch (error) {
      const { cause } = error as Error;
      throw new Error(
        `${method} ${this.url}${path} was not answered: ${errorText(cause ?? error)}`,
        {
          cause: error,
        },
      );
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
