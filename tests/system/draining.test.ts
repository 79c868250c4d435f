import { expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as send } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import { eventually, request, withTempDir } from '../support/index.ts';

const PROGRAM = join(projectRoot, 'dist', 'extracted', 'inventory', 'main.js');

interface Told {
  readonly type: string;
  readonly ports: { readonly http: number };
}

/** One request on the agent's connections. @throws Error when it is not answered */
function get(agent: Agent, port: number, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = send({ agent, host: '127.0.0.1', port, path }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer));
    });
    asked.once('error', reject);
    asked.end();
  });
}

it('a process that is to stop says so first, ends its connections, and fails no request', () =>
  withTempDir(async (folder) => {
    const child = fork(PROGRAM, {
      env: {
        PATH: process.env['PATH'],
        FIG_DATA_DIR: folder,
        FIG_DRAIN_MS: '1500',
        INVENTORY_PORT: '0',
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const failures: unknown[] = [];
    let served = 0;
    let ended = 0;
    let isStopped = false;
    const exited = once(child, 'exit');
    try {
      const [{ ports }] = (await once(child, 'message')) as [Told];
      const url = `http://127.0.0.1:${ports.http}`;
      // Clients stop sending as soon as the process says that it is not ready, as a balancer has them do.
      const client = async (): Promise<void> => {
        while (!isStopped) {
          try {
            const { headers } = await get(agent, ports.http, '/api/inventory');
            served += 1;
            if (headers.connection === 'close') ended += 1;
          } catch (error) {
            failures.push(error);
            return;
          }
        }
      };
      const clients = Array.from({ length: 4 }, client);
      await eventually(() => served > 50);
      expect(await request('GET', `${url}/readyz?verbose`)).toMatchObject({
        status: 200,
        body: {
          checks: { database: { ok: true, text: 'ok', tookMs: expect.any(Number), ageMs: 0 } },
        },
      });
      child.kill('SIGTERM');
      await eventually(async () => {
        const { status, body } = await request<{ status: string }>('GET', `${url}/readyz`);
        expect([status, body.status]).toEqual([503, 'stopping']);
      });
      const before = ended;
      await eventually(() => ended > before + 20);
      isStopped = true;
      await Promise.all(clients);
      expect(failures).toEqual([]);
      expect((await exited)[0]).toBe(0);
    } finally {
      isStopped = true;
      agent.destroy();
      child.kill('SIGKILL');
    }
  }));
