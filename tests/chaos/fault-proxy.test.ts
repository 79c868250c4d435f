import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { eventually } from '../support/index.ts';
import { FaultProxy, LATENCY_MS } from './faults/fault-proxy.ts';

const BODY = 'x'.repeat(600);

interface Stand {
  readonly proxy: FaultProxy;
  /** What the server has been asked. */
  readonly asked: readonly string[];
  /** @returns how long the answer took, in ms; what it was, or the error's code */
  get(path?: string): Promise<{ readonly ms: number; readonly what: string }>;
}

async function withProxy(use: (stand: Stand) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    res.end(BODY);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy = await FaultProxy.open(() => ({ hostname: '127.0.0.1', port: String(port) }));
  const dispatcher = new Agent({ connections: 1 });
  const get: Stand['get'] = async (path = '/api/x') => {
    const from = performance.now();
    const what = await request(`http://127.0.0.1:${proxy.port}${path}`, {
      dispatcher,
      signal: AbortSignal.timeout(1_000),
    })
      .then(({ body }) => body.text())
      .catch((error: { code?: unknown; name: string }) =>
        typeof error.code === 'string' ? error.code : error.name,
      );
    return { ms: performance.now() - from, what: what === BODY ? 'whole' : what };
  };
  try {
    await use({ proxy, asked, get });
  } finally {
    await dispatcher.destroy();
    await proxy.close();
    server.closeAllConnections();
    server.close();
  }
}

describe('a proxy that does harm', () => {
  it('passes everything on before and after, on the connection that is open', () =>
    withProxy(async ({ proxy, get }) => {
      expect((await get()).what).toBe('whole');
      proxy.fault = 'latency';
      const slow = await get();
      expect(slow.what).toBe('whole');
      expect(slow.ms).toBeGreaterThanOrEqual(LATENCY_MS - 1);
      proxy.fault = 'bandwidth';
      // Ten slices of the 600 bytes, and more of their head.
      expect((await get()).ms).toBeGreaterThan(180);
      proxy.fault = undefined;
      expect((await get()).what).toBe('whole');
      await get('/readyz');
      expect(proxy.requests).toBe(4);
    }));

  it('resets connections, and counts what was asked on them', () =>
    withProxy(async ({ proxy, asked, get }) => {
      await get();
      proxy.fault = 'reset';
      for (let n = 0; n < 3; n += 1) {
        expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain((await get()).what);
      }
      expect(proxy.requests).toBeGreaterThanOrEqual(3);
      expect(asked).toHaveLength(1);
    }));

  it('swallows what is sent, and never lets it through late', () =>
    withProxy(async ({ proxy, asked, get }) => {
      await get();
      proxy.fault = 'black hole';
      expect((await get()).what).toBe('TimeoutError');
      proxy.fault = undefined;
      expect((await get('/after')).what).toBe('whole');
      expect(asked).toEqual(['/api/x', '/after']);
    }));

  it('cuts answers off in the middle of their body', () =>
    withProxy(async ({ proxy, asked, get }) => {
      proxy.fault = 'half a body';
      expect((await get()).what).toBe('UND_ERR_SOCKET');
      expect(asked).toEqual(['/api/x']);
    }));

  it('tells the end of an idle connection late', () =>
    withProxy(async ({ proxy, asked, get }) => {
      proxy.fault = 'slow close';
      expect((await get()).what).toBe('whole');
      // Sooner than the connection is idle, a request still gets through.
      await eventually(async () => expect((await get('/late')).what).toBe('UND_ERR_SOCKET'), {
        intervalMs: 60,
      });
      const before = asked.length;
      expect((await get('/new')).what).toBe('whole');
      expect(asked.slice(before)).toEqual(['/new']);
    }));
});
