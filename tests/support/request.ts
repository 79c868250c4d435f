import { request as send } from 'undici';

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed body; its text when that is not JSON, undefined when there is none. */
  readonly body: T;
}

interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is instead of `body`, for malformed ones. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * Sends one JSON request: `await request('POST', `${system.urls.facade}/api/orders`, { body })`.
 * Any status is an answer; only no answer at all is an error.
 */
export async function request<T = unknown>(
  method: string,
  url: string,
  { body, text, headers = {}, timeoutMs = 10_000 }: RequestOptions = {},
): Promise<Answer<T>> {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await send(url, {
    method: method as 'GET',
    headers: {
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: content ?? null,
    signal: AbortSignal.timeout(timeoutMs),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: parse(await answer.body.text()) as T,
  };
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
