import Database from 'better-sqlite3';
import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { json } from './stand.ts';

/** What it answers when it does not know better. */
const TROUBLE = { error: 'something went wrong' };
const BUSY_MS = 5_000;

export interface ThirdParty {
  readonly url: string;
  /** How long it thinks before it writes, in ms; may be changed at any time. */
  thinks: number;
  /** Writes that it thinks about. */
  underWay: number;
  close(): Promise<void>;
}

/**
 * An application as somebody else wrote it, who never heard of fences: POST /notes thinks for a while,
 * then writes a row; whatever its database refuses becomes its answer 500.
 */
export async function startThirdParty(file: string): Promise<ThirdParty> {
  const database = new Database(file, { timeout: BUSY_MS });
  const insert = database.prepare('INSERT INTO notes (id) VALUES (?)');
  const app = { thinks: 50, underWay: 0 };
  const closing = new AbortController();
  // One listener a write that is under way.
  setMaxListeners(0, closing.signal);

  async function note(id: string, res: ServerResponse): Promise<void> {
    app.underWay += 1;
    await delay(app.thinks, undefined, { signal: closing.signal }).catch(() => undefined);
    app.underWay -= 1;
    try {
      insert.run(id);
      json(res, 201, { id });
    } catch {
      json(res, 500, TROUBLE);
    }
  }

  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    req.on('end', () => void note((JSON.parse(body) as { id: string }).id, res));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return Object.assign(app, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      database.close();
    },
  });
}
