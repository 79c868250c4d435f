import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AlreadyRunning, readSystemFile, startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request, withSystem, withTempDir } from '../support/index.ts';
import { fixtures } from './fixtures/index.ts';
import { isAlive } from './is-alive.ts';

const options = { processes: fixtures, load: 'nothing' as const };

function notes(dataDir: string): string[] {
  return readFileSync(join(dataDir, 'order.txt'), 'utf8').trim().split('\n');
}

async function facts(system: System, name: string): Promise<Record<string, unknown>> {
  const { body } = await request<Record<string, unknown>>('GET', `${system.urls[name]}/facts`);
  return body;
}

describe('a running system', () => {
  it('starts in order, and tells each process where the earlier ones are', () =>
    withSystem(options, async (system) => {
      expect(system.names).toEqual(['redis', 'first', 'second']);
      expect(notes(system.dataDir)).toEqual(['start first', 'start second']);
      expect(await facts(system, 'second')).toMatchObject({
        name: 'second',
        pid: system.pid('second'),
        FIRST_URL: system.urls['first'],
        REDIS_URL: system.redisUrl,
      });
    }));

  it('says in system.json where everything is', () =>
    withSystem(options, (system) => {
      expect(readSystemFile(system.dataDir)).toMatchObject({
        pid: process.pid,
        redisUrl: system.redisUrl,
        flagsFile: join(system.dataDir, 'flags.json'),
        processes: {
          redis: { pid: system.pid('redis'), url: system.redisUrl },
          first: { pid: system.pid('first'), url: system.urls['first'] },
        },
        env: { FIRST_URL: system.urls['first'], REDIS_URL: system.redisUrl },
      });
      return Promise.resolve();
    }));

  it('starts a process that died again, at the same address', () =>
    withSystem(options, async (system) => {
      const { pid } = await facts(system, 'first');
      const deaths: string[] = [];
      system.onExit(({ name, signal }) => deaths.push(`${name} ${signal}`));
      await system.kill('first');
      const reborn = await eventually(() => facts(system, 'first'));
      expect(reborn['pid']).not.toBe(pid);
      expect(deaths).toEqual(['first SIGKILL']);
      await eventually(() => {
        expect(readSystemFile(system.dataDir)?.processes['first']?.pid).toBe(reborn['pid']);
      });
    }));

  it('starts a Redis that died again, at the same address', () =>
    withSystem(options, async (system) => {
      const pid = system.pid('redis');
      const reborn = new Promise((resolve) => system.onRestart(resolve));
      await system.kill('redis');
      expect(await reborn).toMatchObject({ name: 'redis', pid: system.pid('redis') });
      expect(system.pid('redis')).not.toBe(pid);
    }));

  it('pauses and resumes a process, and can stop one that is paused', () =>
    withSystem(options, async (system) => {
      const url = `${system.urls['first']}/facts`;
      system.pause('first');
      await expect(request('GET', url, { timeoutMs: 200 })).rejects.toThrow(/abort|time/i);
      system.resume('first');
      expect(await request('GET', url)).toMatchObject({ status: 200 });
      system.pause('second');
      await system.stop();
      expect(notes(system.dataDir)).toContain('stop second');
    }));
});

describe('the end of a system', () => {
  it('stops in reverse order and leaves no process and no system.json', () =>
    withSystem(options, async (system) => {
      const pids = system.names.map((name) => system.pid(name) ?? 0);
      await system.stop();
      expect(notes(system.dataDir).slice(2)).toEqual(['stop second', 'stop first']);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(readSystemFile(system.dataDir)).toBeUndefined();
    }));

  it('can lose power: everything dies at once, and the same folder starts again', () =>
    withSystem(options, async (system) => {
      const pids = system.names.map((name) => system.pid(name) ?? 0);
      await system.killAll();
      expect(pids.filter(isAlive)).toEqual([]);
      expect(notes(system.dataDir)).not.toContain('stop first');
      const again = await startSystem({
        ...options,
        dataDir: system.dataDir,
        env: withoutSystem(process.env),
        ports: 'free',
      });
      await again.stop();
      expect(notes(system.dataDir).slice(2, 4)).toEqual(['start first', 'start second']);
    }));
});

describe('a system that cannot start', () => {
  const env = withoutSystem(process.env);

  it('is refused on a folder in use, with the process id of who uses it', () =>
    withSystem(options, async ({ dataDir }) => {
      const second = startSystem({ ...options, dataDir, env, ports: 'free' });
      await expect(second).rejects.toThrow(AlreadyRunning);
      await expect(second).rejects.toThrow(`(process ${process.pid})`);
    }));

  it('names the port that is in use and its variable, and starts nothing', () =>
    withTempDir(async (dataDir) => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const { port } = taken.address() as AddressInfo;
      const start = startSystem({
        ...options,
        dataDir,
        env: { ...env, FIRST_PORT: '0', SECOND_PORT: String(port) },
        ports: 'default',
      });
      await expect(start).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`);
      await expect(start).rejects.toThrow('SECOND_PORT');
      expect(() => notes(dataDir)).toThrow('ENOENT');
      taken.close();
    }));

  it('gives the reason of the process that refused, and stops the others', () =>
    withTempDir(async (dataDir) => {
      const start = startSystem({
        ...options,
        dataDir,
        env: { ...env, REFUSES_TO_START: 'second' },
        ports: 'free',
      });
      await expect(start).rejects.toThrow('second could not start: the fixture was told to refuse');
      expect(notes(dataDir)).toEqual(['start first', 'stop first']);
    }));

  it('stops what has started when starting is given up', () =>
    withTempDir(async (dataDir) => {
      const abort = new AbortController();
      const start = startSystem({ ...options, dataDir, env, ports: 'free', signal: abort.signal });
      const outcome = expect(start).rejects.toThrow(/stopped|aborted/);
      await eventually(() => notes(dataDir).includes('start first'));
      abort.abort();
      await outcome;
      expect(readSystemFile(dataDir)).toBeUndefined();
    }));
});
