import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { defineConfig } from '../../routing/index.ts';
import { eventually, request } from '../support/index.ts';
import { startDnsServer } from './dns-server.ts';
import type { DnsServer } from './dns-server.ts';
import { startFixture, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';

const NOWHERE = 'http://127.0.0.1:1';
let dns: DnsServer;
let process: Fixture;
beforeEach(async () => {
  [dns, process] = await Promise.all([startDnsServer(), startFixture('found')]);
});
afterEach(() => Promise.all([dns.close(), process.close()]));

const portOf = ({ url }: Fixture): number => Number(new URL(url).port);

function asking(more: object): Partial<FigConfigInput> {
  const found = { everyMs: 100, servers: [dns.address], ...more };
  const monolith = { url: NOWHERE, dns: found } as FigConfigInput['upstreams'][string];
  return { upstreams: { monolith, legacy: NOWHERE, extracted: NOWHERE } };
}

async function instances({ adminUrl }: Stand): Promise<readonly object[]> {
  const { body } = await request<{ instances: { upstream: string }[] }>(
    'GET',
    `${adminUrl}/status`,
  );
  return body.instances.filter(({ upstream }) => upstream === 'monolith');
}

const listed = (url: string, source = 'dns'): object => ({ url, source, version: null });

describe('an upstream whose processes a name server lists', () => {
  it('is asked at their addresses, follows the records, and goes on without a name server', () => {
    dns.a.set('stock.internal', ['127.0.0.1']);
    const config = asking({ name: 'stock.internal', type: 'A', port: portOf(process) });
    return withStand({ config }, async (stand) => {
      expect(await instances(stand)).toMatchObject([listed(process.url)]);
      expect((await request('GET', `${stand.url}/x`)).body).toEqual({ from: 'found' });
      dns.a.set('stock.internal', ['127.0.0.1', '127.0.0.2']);
      const other = process.url.replace('127.0.0.1', '127.0.0.2');
      await eventually(async () =>
        expect(await instances(stand)).toMatchObject([listed(process.url), listed(other)]),
      );
      dns.a.delete('stock.internal');
      await eventually(async () =>
        expect(await instances(stand)).toMatchObject([listed(NOWHERE, 'config')]),
      );
      dns.a.set('stock.internal', ['127.0.0.1']);
      await eventually(async () =>
        expect(await instances(stand)).toMatchObject([listed(process.url)]),
      );
      await dns.close();
      for (let n = 0; n < 100; n += 1) {
        expect((await request('GET', `${stand.url}/x`)).status).toBe(200);
      }
      expect(await instances(stand)).toMatchObject([listed(process.url)]);
      dns = await startDnsServer();
    });
  });

  it('is asked at the ports that SRV records name', () => {
    dns.a.set('one.internal', ['127.0.0.1']);
    dns.srv.set('_stock._tcp.internal', [{ target: 'one.internal', port: portOf(process) }]);
    return withStand(
      { config: asking({ name: '_stock._tcp.internal', type: 'SRV' }) },
      async (stand) => {
        expect(await instances(stand)).toMatchObject([listed(process.url)]);
        expect((await request('GET', `${stand.url}/x`)).body).toEqual({ from: 'found' });
      },
    );
  });

  it('is named in one way only, and has a port where its records have none', () => {
    const name = 'stock.internal';
    const configured = (monolith: object): (() => unknown) => {
      const upstreams = { monolith: { url: NOWHERE, ...monolith } } as FigConfigInput['upstreams'];
      return () => defineConfig({ upstreams, monolith: 'monolith', capabilities: {} });
    };
    expect(configured({ dns: { name, type: 'SRV' } })).not.toThrow();
    expect(configured({ dns: { name, type: 'A' } })).toThrow();
    const registry = { networks: ['10.0.0.0/8'] };
    expect(configured({ dns: { name, type: 'SRV' }, registry })).toThrow();
    expect(configured({ registry, instances: [NOWHERE] })).toThrow();
    expect(configured({ registry: { networks: ['10.0.0.0/40'] } })).toThrow();
  });
});
