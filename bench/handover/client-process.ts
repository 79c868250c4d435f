import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ClientsOrder } from './clients.ts';
import type { Told } from './ledger.ts';

const PROGRAM = fileURLToPath(new URL('clients.js', import.meta.url));

/** Clients in a process of their own, which send at a steady rate until they are stopped. */
export interface Clients {
  /** Ends when the last request is answered. @throws when the process ended before */
  stop(): Promise<readonly Told[]>;
  /** Without a ledger; harmless after `stop`. */
  kill(): void;
}

export function startClients(order: ClientsOrder): Clients {
  const child = fork(PROGRAM, [JSON.stringify(order)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    async stop() {
      if (child.connected) child.send('stop');
      const [code, signal] = await ended;
      if (code !== 0) throw new Error(`the clients ended early (${signal ?? code})`);
      return JSON.parse(await readFile(order.ledgerFile, 'utf8')) as Told[];
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
