import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, request } from '../support/index.ts';
import { json, startFixture, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';

/** Three processes of the monolith. */
let processes: Fixture[];
beforeEach(async () => {
  processes = await Promise.all(['one', 'two', 'three'].map((name) => startFixture(name)));
});
afterEach(() => Promise.all(processes.map((each) => each.close())));

const counts = (): number[] => processes.map(({ received }) => received.length);
const settings = (): Partial<FigConfigInput> => ({
  upstreams: {
    monolith: { url: 'http://monolith.example', instances: processes.map(({ url }) => url) },
    legacy: 'http://127.0.0.1:1',
    extracted: 'http://127.0.0.1:2',
  },
});

interface Instance {
  readonly upstream: string;
  readonly url: string;
  readonly load: number;
  readonly ejected: boolean;
}

async function instancesOf({ adminUrl }: Stand): Promise<readonly Instance[]> {
  const { body } = await request<{ instances: Instance[] }>('GET', `${adminUrl}/status`);
  return body.instances.filter(({ upstream }) => upstream === 'monolith');
}

const ask = ({ url }: Stand): Promise<number> =>
  request('GET', `${url}/x`).then(({ status }) => status);

describe('an upstream of several processes', () => {
  it('gives each of them requests, and those that are busy fewer', () =>
    withStand({ config: settings() }, async (stand) => {
      const waiting: ServerResponse[] = [];
      (processes[0] as Fixture).answer = (_req, res) => waiting.push(res);
      const slow = Array.from({ length: 20 }, () => ask(stand));
      await eventually(() => counts().reduce((sum, count) => sum + count) === 20);
      for (let n = 0; n < 60; n += 1) {
        const before = waiting.length;
        await Promise.race([ask(stand), eventually(() => waiting.length > before)]);
      }
      const [busy = 0, ...others] = counts();
      for (const count of others) expect(count).toBeGreaterThan(busy);
      expect(busy).toBeGreaterThan(0);
      const [first] = await instancesOf(stand);
      expect(first).toMatchObject({ url: processes[0]?.url, load: waiting.length, ejected: false });
      for (const res of waiting) json(res, 200, {});
      expect(new Set(await Promise.all(slow))).toEqual(new Set([200]));
    }));

  it('leaves one out that fails, says so, and gives it another try later', () =>
    withStand({ config: settings() }, async (stand) => {
      const [ill] = processes as [Fixture];
      ill.answer = (_req, res) => json(res, 500, {});
      await eventually(async () => {
        await ask(stand);
        expect((await instancesOf(stand)).map(({ ejected }) => ejected)).toEqual([
          true,
          false,
          false,
        ]);
      });
      const { length } = ill.received;
      for (let n = 0; n < 20; n += 1) expect(await ask(stand)).toBe(200);
      expect(ill.received.length).toBe(length);
      const metrics = await request<string>('GET', `${stand.adminUrl}/metrics`);
      expect(metrics.body).toContain('fig_instances_ejected{upstream="monolith"} 1');
      ill.answer = (_req, res) => json(res, 200, {});
      await eventually(async () => {
        expect(await ask(stand)).toBe(200);
        expect(ill.received.length).toBeGreaterThan(length);
      });
    }));

  it('asks all of them again where more than half fail', () =>
    withStand({ config: settings() }, async (stand) => {
      for (const each of processes.slice(0, 2)) each.answer = (_req, res) => json(res, 500, {});
      await eventually(async () => {
        await ask(stand);
        const ejected = (await instancesOf(stand)).filter((each) => each.ejected);
        expect(ejected).toHaveLength(2);
      });
      const before = counts();
      await eventually(async () => {
        await ask(stand);
        for (const [index, count] of counts().entries())
          expect(count).toBeGreaterThan(before[index] ?? 0);
      });
    }));

  it('fails no read of a capability when a process is gone all of a sudden', () =>
    withStand(
      {
        config: {
          upstreams: {
            monolith: 'http://127.0.0.1:1',
            legacy: { url: 'http://legacy.example', instances: processes.map(({ url }) => url) },
            extracted: 'http://127.0.0.1:2',
          },
        },
      },
      async (stand) => {
        const read = (): Promise<number> =>
          request('GET', `${stand.url}/api/stock/1`).then(({ status }) => status);
        for (let n = 0; n < 20; n += 1) expect(await read()).toBe(200);
        await (processes[2] as Fixture).close();
        for (let n = 0; n < 40; n += 1) expect(await read()).toBe(200);
      },
    ));
});
