import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from '../../tests/support/index.ts';
import { createLog } from '../log.ts';
import { LOOPBACK_ONLY } from '../access.ts';
import { createHttpApp } from './index.ts';
import type { Figure } from './index.ts';

function figure(name: string, read: Figure['read']): Figure {
  return { name, help: name, read };
}

describe('the figures of a process', () => {
  it('leave out what can not be read, and what takes longer than a monitor waits', async () => {
    const app = createHttpApp({
      name: 'test',
      log: createLog('test', 'silent'),
      access: LOOPBACK_ONLY,
      routes: [],
      figures: [
        figure('fig_known', () => [{ value: 7 }]),
        figure('fig_failing', () => Promise.reject(new Error('the database is away'))),
        figure('fig_throwing', () => {
          throw new Error('the pool is closed');
        }),
        // As a query on a connection whose server says nothing any more.
        figure('fig_silent', () => new Promise(() => undefined)),
      ],
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { status, body } = await request<string>('GET', `${url}/metrics`);
      expect(status).toBe(200);
      expect(body).toContain('\nfig_known 7\n');
      expect(body).toContain('\nprocess_cpu_seconds_total ');
      expect(body).not.toMatch(/^fig_(failing|throwing|silent) /m);
    } finally {
      server.close();
    }
  });
});
