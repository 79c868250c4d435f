import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { listen } from '../../../chassis/index.ts';

/** The authority that vouches for `server.pem`, which is for 127.0.0.1. Neither is used elsewhere. */
export const CA_FILE = fileURLToPath(new URL('ca.pem', import.meta.url));

/** Gives `use` the URL of an HTTPS server whose certificate only `CA_FILE` vouches for. */
export async function withHttps(
  answer: RequestListener,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const [cert, key] = await Promise.all(
    ['server.pem', 'server-key.pem'].map((name) => readFile(new URL(name, import.meta.url))),
  );
  const server = createServer({ cert, key }, answer);
  const listening = await listen(server, { host: '127.0.0.1', port: 0, variable: 'none' });
  try {
    await use(`https://127.0.0.1:${listening.port}`);
  } finally {
    await listening.close(0);
  }
}
