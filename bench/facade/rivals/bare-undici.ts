/** The least that a proxy on undici can do: no checks, no features, headers as they come. */
import { createServer, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { serve, upstreamUrl } from './serve.ts';

const pool = new Pool(upstreamUrl, { connections: 256 });
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

serve(
  createServer((req, res) => {
    const { method = 'GET', url: path = '/' } = req;
    const headers: string[] = [];
    for (let index = 0; index < req.rawHeaders.length; index += 2) {
      const name = req.rawHeaders[index] as string;
      if (!HOP_BY_HOP.has(name.toLowerCase()))
        headers.push(name, req.rawHeaders[index + 1] as string);
    }
    const hasBody = method !== 'GET' && method !== 'HEAD';
    pool.dispatch({ method, path, headers, body: hasBody ? req : null }, new Handler(res));
  }),
);

class Handler implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  onConnect(): void {
    // Nothing can be called off.
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    const headers: string[] = [];
    for (let index = 0; index < raw.length; index += 2) {
      const name = (raw[index] as Buffer).toString('latin1');
      if (HOP_BY_HOP.has(name.toLowerCase())) continue;
      headers.push(name, (raw[index + 1] as Buffer).toString('latin1'));
    }
    this.#res.writeHead(status, headers);
    this.#res.on('drain', resume);
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.#res.write(chunk);
  }

  onComplete(): void {
    this.#res.end();
  }

  onError(): void {
    this.#res.destroy();
  }
}
