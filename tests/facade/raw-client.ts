import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** What came back on one connection. */
export interface RawAnswer {
  readonly text: string;
  /** How the server ended the connection; undefined while it is open. */
  readonly ending: 'end' | 'reset' | undefined;
}

/** A client that sends bytes as they are given. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  ending: RawAnswer['ending'];

  /** @param localAddress from which it connects */
  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    this.socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    this.socket.on('end', () => (this.ending ??= 'end'));
    this.socket.on('error', () => (this.ending ??= 'reset'));
    this.socket.on('close', () => (this.ending ??= 'reset'));
  }

  send(...lines: string[]): this {
    this.socket.write(lines.join('\r\n'), 'latin1');
    return this;
  }

  /** Sends a request without a body. */
  get(target: string, ...headers: string[]): this {
    return this.send(`GET ${target} HTTP/1.1`, 'Host: fig', ...headers, '', '');
  }

  /** The status of each answer so far. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
  }

  close(): void {
    this.socket.destroy();
  }
}
