import { Pool } from 'undici';
import { locate } from './server-location.ts';
import type { ServerSettings } from './server-location.ts';
import { currentTrace, traceparentOf } from './trace.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON body; undefined when there is none. */
  readonly body: unknown;
}

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** An answer that is no JSON: of a proxy on the way, or of another program than was meant. */
interface OtherAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * No usable answer came. `sent` tells whether the other side may have seen the request: only a
 * request that was not sent is known to have had no effect. `answer` is what came instead, if anything.
 */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly sent: boolean;
  readonly answer: OtherAnswer | undefined;

  constructor(message: string, sent: boolean, cause: unknown, answer?: OtherAnswer) {
    super(message, { cause });
    this.sent = sent;
    this.answer = answer;
  }
}

export interface HttpClient {
  /** @throws CallFailed on time-out, refusal or reset */
  call(method: string, path: string, options?: CallOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * A JSON client for one server, with a deadline on each call and the current trace passed on.
 * @param server its base URL where that says how to reach it
 * @param added headers of every call, such as the operators' token
 */
export function createHttpClient(
  server: string | ServerSettings,
  defaultTimeoutMs = 5_000,
  added: () => Readonly<Record<string, string>> = () => ({}),
): HttpClient {
  const { url, origin, prefix, connect } = locate(
    typeof server === 'string' ? { url: server } : server,
  );
  const pool = new Pool(origin, { connections: 64, pipelining: 1, connect });
  return {
    async call(method, path, { body, headers = {}, timeoutMs = defaultTimeoutMs } = {}) {
      const trace = currentTrace();
      let came: OtherAnswer | undefined;
      try {
        const answer = await pool.request({
          method,
          path: prefix + path,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(trace ? { traceparent: traceparentOf(trace) } : {}),
            ...added(),
            ...headers,
          },
          body: body === undefined ? null : JSON.stringify(body),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await answer.body.text();
        came = { status: answer.statusCode, text };
        return {
          status: answer.statusCode,
          headers: answer.headers,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
        };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        throw new CallFailed(
          `${method} ${url}${path}: ${message}`,
          code === undefined || !NEVER_SENT.has(code),
          error,
          came,
        );
      }
    },
    close: () => pool.destroy(),
  };
}
