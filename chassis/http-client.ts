import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import { locate } from './server-location.ts';
import type { ServerSettings } from './server-location.ts';
import { childSpan, markAnswered, markFailed, traceparentOf } from './trace.ts';

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

/** Connections to one server at a time. */
const CONNECTIONS = 64;
/** Servers of Node close an idle connection after 5 s; a request on one that is just being closed would fail. */
const IDLE_MS = 4_000;

/**
 * A JSON client for one server, with a deadline on each call and the current trace passed on. It is built on
 * Node's own client, since every process and every command loads it: undici alone took a fifth of the processor
 * time that `fig status` needs.
 * @param server its base URL where that says how to reach it
 * @param added headers of every call, such as the operators' token
 */
export function createHttpClient(
  server: string | ServerSettings,
  defaultTimeoutMs = 5_000,
  added: () => Readonly<Record<string, string>> = () => ({}),
): HttpClient {
  const { url, prefix, secure, host, port, connect } = locate(
    typeof server === 'string' ? { url: server } : server,
  );
  const agent = new (secure ? HttpsAgent : HttpAgent)({
    ...connect,
    keepAlive: true,
    maxSockets: CONNECTIONS,
    timeout: IDLE_MS,
  });
  const send = secure ? httpsRequest : httpRequest;
  return {
    async call(method, path, { body, headers = {}, timeoutMs = defaultTimeoutMs } = {}) {
      const trace = childSpan({
        name: method,
        kind: 'client',
        attributes: { 'http.request.method': method, 'server.address': host, 'server.port': port },
      });
      const content = body === undefined ? undefined : JSON.stringify(body);
      let came: OtherAnswer | undefined;
      let sent = false;
      try {
        const request = send({
          agent,
          ...connect,
          host,
          port,
          method,
          path: prefix + path,
          headers: {
            accept: 'application/json',
            ...(content === undefined
              ? {}
              : {
                  'content-type': 'application/json',
                  'content-length': Buffer.byteLength(content),
                }),
            ...(trace ? { traceparent: traceparentOf(trace) } : {}),
            ...added(),
            ...headers,
          },
          signal: AbortSignal.timeout(timeoutMs),
        });
        request.once('socket', (socket) => {
          if (socket.connecting)
            socket.once(secure ? 'secureConnect' : 'connect', () => (sent = true));
          else sent = true;
        });
        const answer = await answerTo(request, content);
        const text = await readText(answer);
        const status = answer.statusCode ?? 0;
        came = { status, text };
        if (trace) markAnswered(trace, status, 400);
        return {
          status,
          headers: answer.headers,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
        };
      } catch (error) {
        if (trace) markFailed(trace, error);
        const reason = reasonOf(error as Error);
        throw new CallFailed(`${method} ${url}${path}: ${reason}`, sent, error, came);
      } finally {
        trace?.span?.end();
      }
    },
    async close() {
      agent.destroy();
    },
  };
}

/** Sends a request. @returns its answer, whose body is still to be read */
function answerTo(request: ClientRequest, content: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.end(content);
  });
}

/** Node wraps what ended a request, such as the deadline, into an error that only says that it was aborted. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}
