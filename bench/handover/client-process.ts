import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ClientsCommand, ClientsOrder, Saturated } from './clients.ts';
import type { RecordedRequest } from './ledger.ts';

const PROGRAM = fileURLToPath(new URL('clients.js', import.meta.url));

/** Clients in a process of their own. */
export interface Clients {
  readonly pid: number;
  /** So many clients that each wait for their answers, for so long; @returns answers a second */
  saturate(clients: number, ms: number): Promise<number>;
  /** Sends at a rate that rises over `rampMs` and then stays, until `stop`. */
  pace(perSecond: number, rampMs: number): void;
  /** Ends when the last request is answered. @throws when the process ended before */
  stop(): Promise<readonly RecordedRequest[]>;
  /** Without a ledger; harmless after `stop`. */
  kill(): void;
}

export function startClients(order: ClientsOrder): Clients {
  const child = fork(PROGRAM, [JSON.stringify(order)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const tell = (command: ClientsCommand): void => {
    if (child.connected) child.send(command);
  };
  const early = ended.then(([code, signal]): never => {
    throw new Error(`the clients ended early (${signal ?? code})`);
  });
  // The caller of this function decides whether that matters.
  early.catch(() => {});
  return {
    pid: child.pid as number,
    async saturate(clients, ms) {
      const over = once(child, 'message') as Promise<[Saturated]>;
      tell({ type: 'saturate', clients, ms });
      const [{ perSecond }] = await Promise.race([over, early]);
      return perSecond;
    },
    pace: (perSecond, rampMs) => tell({ type: 'pace', perSecond, rampMs }),
    async stop() {
      tell({ type: 'stop' });
      const [code] = await ended;
      if (code !== 0) await early;
      return JSON.parse(await readFile(order.ledgerFile, 'utf8')) as RecordedRequest[];
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
