import { describe, expect, it } from '@jest/globals';
import { startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';

interface Page {
  readonly items: readonly { readonly sku: string }[];
}

async function firstSku(system: System): Promise<string> {
  const { body } = await request<Page>('GET', `${system.urls['facade']}/api/products`);
  return body.items[0]?.sku ?? '';
}

async function onHand(system: System, sku: string): Promise<number> {
  const url = `${system.urls['facade']}/api/inventory/${sku}`;
  const { body } = await request<{ readonly onHand: number }>('GET', url);
  return body.onHand;
}

/** On a system that has just been started. */
export function readiness(started: () => System): void {
  describe('the whole system', () => {
    it('is ready when it says so, with a shop to look at', async () => {
      const system = started();
      expect(system.names).toEqual([
        'redis',
        'provider',
        'inventory',
        'payment',
        'notification',
        'monolith',
        'order-view',
        'engine',
        'facade',
      ]);
      for (const name of [...system.names.slice(1), 'admin']) {
        for (const path of ['livez', 'readyz']) {
          const { status } = await request('GET', `${system.urls[name]}/${path}`);
          expect([name, path, status]).toEqual([name, path, 200]);
        }
      }
      expect(await firstSku(system)).not.toBe('');
    });
  });
}

/** Last of all, since the system is stopped. */
export function deathsAndStops(started: () => System): void {
  describe('the whole system', () => {
    it('comes back whichever process dies', async () => {
      const system = started();
      for (const name of system.names) await system.kill(name);
      await eventually(async () => (await firstSku(system)) !== '', { timeoutMs: 45_000 });
      await system.ready();
    });

    it('carries on with its data after a stop, and loads the sample only once', async () => {
      const system = started();
      const sku = await firstSku(system);
      const before = await onHand(system, sku);
      const adjusted = await request(
        'POST',
        `${system.urls['facade']}/api/inventory/${sku}/adjustments`,
        { body: { delta: 7, reason: 'found behind the shelf' } },
      );
      expect(adjusted.status).toBe(201);
      await system.stop();
      const again = await startSystem({
        dataDir: system.dataDir,
        env: withoutSystem(process.env),
        ports: 'free',
      });
      try {
        expect(await onHand(again, sku)).toBe(before + 7);
      } finally {
        await again.stop();
      }
    });
  });
}
