import { eventually } from '../../support/index.ts';
import { RawClient } from '../raw-client.ts';
import type { Reply } from './raw-upstream.ts';
import type { Target } from './target.ts';

/** The head of a GET. */
export const get = (target: string, ...headers: string[]): string =>
  [`GET ${target} HTTP/1.1`, 'Host: fig', ...headers, '', ''].join('\r\n');

/** Sends one request, and gives the whole text of what came back. */
export async function ask(
  { port, upstream }: Target,
  request: string,
  reply: Reply,
  until: (text: string, client: RawClient) => boolean,
): Promise<string> {
  upstream.reset();
  upstream.reply = reply;
  const client = new RawClient(port);
  try {
    client.socket.write(request, 'latin1');
    await eventually(() => until(client.text, client) || client.ending !== undefined, {
      timeoutMs: 4_000,
      intervalMs: 5,
    }).catch(() => undefined);
    return client.text;
  } finally {
    client.close();
  }
}

/** Answers with these lines. */
export const raw =
  (...lines: string[]): Reply =>
  (_request, socket) => {
    socket.write(lines.join('\r\n'), 'latin1');
  };

/** Of an answer, whether these parts are in it, as words. */
export function parts(text: string, wanted: Readonly<Record<string, RegExp>>): string {
  return Object.entries(wanted)
    .map(([name, pattern]) => (pattern.test(text) ? name : `no ${name}`))
    .join(', ');
}
