import { connect } from 'node:net';
import type { Fuzzed, Meaning } from './requests.ts';

/** What an upstream said that it had read. */
export interface Echo {
  readonly number: number;
  readonly by: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Whether what a client may not say of itself got through. */
  readonly forged: boolean;
  /** Whether what was for the proxy alone got through. */
  readonly hop: boolean;
}

export interface Exchange {
  readonly request: Fuzzed;
  readonly statuses: readonly number[];
  readonly echoes: readonly Echo[];
  /** The client gave up waiting: more may have happened than it has seen. */
  readonly gaveUp: boolean;
  readonly text: string;
}

const LAST_CHUNK = '\r\n0\r\n\r\n';

/** How long more is waited for where nobody knows how much there will be. */
const PATIENCE_MS = 80;

/**
 * Sends one request on a connection of its own, and reads what comes back.
 * @param longestMs how long an answer that must come is waited for
 */
export function exchange(port: number, request: Fuzzed, longestMs: number): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const finish = (gaveUp: boolean): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.destroy();
      const heads = text
        .split(/(?=HTTP\/1\.1 \d{3} )/)
        .filter((head) => head.startsWith('HTTP/1.1 '));
      resolve({
        request,
        text,
        gaveUp,
        statuses: heads.map((head) => Number(head.slice(9, 12))),
        echoes: heads.flatMap(echoIn),
      });
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(true), request.means === null ? PATIENCE_MS : longestMs);
    };
    socket.on('connect', () => {
      socket.write(request.bytes, 'latin1');
      wait();
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // Of undamaged requests it is known how many answers there will be.
      if (request.means !== null && areWhole(text, request.means)) finish(false);
      else wait();
    });
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  });
}

function echoIn(head: string): Echo[] {
  const encoded = /\r\nx-seen: (\S+)\r\n/i.exec(head)?.[1];
  return encoded ? [JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Echo] : [];
}

/** One answer for each, or fewer if one says that it is the last. */
function areWhole(text: string, means: readonly Meaning[]): boolean {
  let rest = text;
  for (const { method } of means) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1 || rest.startsWith('HTTP/1.1 1')) return false;
    const head = rest.slice(0, end + 2);
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
    const chunked = /\r\ntransfer-encoding: chunked\r\n/i.test(head);
    const last = chunked ? rest.indexOf(LAST_CHUNK, end + 4) + LAST_CHUNK.length : end + 4 + length;
    const whole = method === 'HEAD' ? end + 4 : last;
    if (rest.length < whole || (chunked && last < end)) return false;
    if (/\r\nconnection: close\r\n/i.test(head)) return true;
    rest = rest.slice(whole);
  }
  return true;
}
