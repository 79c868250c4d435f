import { request } from 'undici';
import type { Dispatcher } from 'undici';
import type { RawAnswer } from './answer.ts';

const ANSWER_MS = 30_000;

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  /** The body as it is sent; none when absent. */
  readonly text?: string | undefined;
  /** What connects to the server, where its URL does not say how. */
  readonly via?: Dispatcher | undefined;
}

/**
 * Sends one request on a connection of its own, so that no case meets another's. Any status is an
 * answer, and a body whatever its type says: a wrong type is a finding and no crash.
 * @throws Error with a `code` such as ECONNREFUSED when no answer comes
 */
export async function ask(
  method: string,
  url: string,
  { headers = {}, text, via }: Sent = {},
): Promise<RawAnswer> {
  const answer = await request(url, {
    method: method as 'GET',
    headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: text ?? null,
    reset: true,
    ...(via ? { dispatcher: via } : {}),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  return {
    status: answer.statusCode,
    headers: joined(answer.headers),
    body: parsed(await answer.body.text()),
  };
}

function joined(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
