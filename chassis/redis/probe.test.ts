import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { built, CA_FILE, eventually, withRedis, withTls } from '../../tests/support/index.ts';
import { createLog } from '../log.ts';
import { probeRedis } from './probe.ts';

/** A server that hangs up on everybody, on a free port. */
async function hangingUp(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** What a probe says and logs, as soon as it has asked. */
async function probe(url: string): Promise<{ said: string; logged: string }> {
  const lines: string[] = [];
  const probed = probeRedis(url, createLog('test', 'info', { write: (line) => lines.push(line) }));
  try {
    const said = await eventually(async () => {
      const text = await probed.readiness().then(String, (error: Error) => error.message);
      expect(text).not.toContain('not answered yet');
      return text;
    });
    return { said, logged: lines.join('') };
  } finally {
    probed.close();
  }
}

/** Says that it is ready as soon as it is. */
const UNTIL_READY = `
  const [chassis, redis, url] = process.argv.slice(1);
  const { createLog } = await import(chassis);
  const { probeRedis } = await import(redis);
  const probed = probeRedis(url, createLog('test'));
  while (!(await probed.readiness().catch(() => false))) await new Promise(setImmediate);
  probed.close();
  console.log('ready');
`;

describe('a probe of Redis', () => {
  it('is ready once Redis answers, and names host and cause until then', async () => {
    const gone = await hangingUp();
    await gone.close();
    const { port } = gone;
    const dead = await probe(`redis://fig:hunter2@127.0.0.1:${port}`);
    expect(dead.said).toBe(`Redis at 127.0.0.1:${port} does not answer: ECONNREFUSED`);
    expect(dead.logged).toContain(dead.said);
    expect(dead.said + dead.logged).not.toContain('hunter2');
    await withRedis(async ({ url }) => {
      expect(await probe(url)).toEqual({ said: 'true', logged: '' });
    });
  });

  it('tells a wrong password, TLS where there is none, and a server that is no Redis', () =>
    withRedis(async ({ url }) => {
      const { host } = new URL(url);
      expect((await probe(`rediss://${host}`)).said).toContain(
        'if it speaks no TLS, give redis://',
      );
      const admin = new Redis(url);
      await admin.config('SET', 'requirepass', 'secret');
      admin.disconnect();
      const wrong = await probe(`redis://:hunter2@${host}`);
      expect(wrong.said).toBe(
        `Redis at ${host} does not answer: it refuses user or password (WRONGPASS)`,
      );
      expect(wrong.logged).not.toContain('hunter2');
      expect((await probe(`redis://${host}`)).said).toContain('refuses user or password (NOAUTH)');
      expect((await probe(`redis://:secret@${host}`)).said).toBe('true');

      const other = await hangingUp();
      const said = (await probe(`redis://127.0.0.1:${other.port}`)).said;
      expect(said).toContain('closes the connection');
      await other.close();
    }));

  it('speaks TLS, with whom it trusts', () =>
    withRedis(async (redis) => {
      const tlsUrl = await withTls(redis);
      const { said, logged } = await probe(tlsUrl);
      expect(said).toContain('no authority that this process trusts has signed its certificate');
      expect(said).toContain("name the authority's PEM file in NODE_EXTRA_CA_CERTS");
      expect(said + logged).not.toContain(new URL(redis.url).password);
      // Node reads that file when it starts.
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: CA_FILE };
      const script = ['--input-type=module', '-e', UNTIL_READY];
      const modules = ['../index.ts', 'index.ts'].map((file) =>
        built(new URL(file, import.meta.url)),
      );
      const parameters = [...script, ...modules, tlsUrl];
      const { stdout } = await promisify(execFile)(process.execPath, parameters, {
        env,
        timeout: 30_000,
      });
      expect(stdout).toBe('ready\n');
    }));

  it('takes the user of an ACL, and warns of a Redis that asks for no password', () =>
    withRedis(async ({ url }) => {
      const { host } = new URL(url);
      const admin = new Redis(url);
      await admin.call('ACL', 'SETUSER', 'fig', 'on', '>secret', '~*', '&*', '+@all');
      expect(await probe(`redis://fig:secret@${host}`)).toEqual({ said: 'true', logged: '' });
      await admin.config('SET', 'requirepass', '');
      admin.disconnect();
      const open = await probe(`redis://${host}`);
      expect(open.said).toBe('true');
      expect(open.logged).toContain(`Redis at ${host} asks for no password`);
    }));

  it.each(['http://:hunter2@cache:6379', 'cache:6379', 'hunter2', 'redis://'])(
    'refuses %s, which is the URL of no Redis, without showing a password',
    (url) => {
      const refused = expect(() => probeRedis(url, createLog('test', 'silent')));
      refused.toThrow(/^REDIS_URL .*give redis:/);
      refused.not.toThrow(/hunter2/);
    },
  );
});
