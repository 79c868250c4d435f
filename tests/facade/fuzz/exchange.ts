import { connect } from 'node:net';
import type { Fuzzed } from './requests.ts';

/** What an upstream said that it had read. */
export interface Echo {
  readonly number: number;
  readonly by: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

export interface Exchange {
  readonly request: Fuzzed;
  readonly statuses: readonly number[];
  readonly echoes: readonly Echo[];
  /** The client gave up waiting: more may have happened than it has seen. */
  readonly gaveUp: boolean;
  readonly text: string;
}

/** How long more is waited for where nobody knows how much there will be. */
const PATIENCE_MS = 80;
const LONGEST_MS = 10_000;

/** Sends one request on a connection of its own, and reads what comes back. */
export function exchange(port: number, request: Fuzzed): Promise<Exchange> {
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
      timer = setTimeout(() => finish(true), request.means === null ? PATIENCE_MS : LONGEST_MS);
    };
    socket.on('connect', () => {
      socket.write(request.bytes, 'latin1');
      wait();
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // Of an undamaged request the one answer is all; others may have been two.
      if (request.means !== null && isWhole(text, request.means.method)) finish(false);
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

function isWhole(text: string, method: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1 || text.startsWith('HTTP/1.1 1')) return false;
  const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1] ?? 0);
  return method === 'HEAD' || text.length >= end + 4 + length;
}
