import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { asOperator, projectRoot } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { request, withSystem } from '../support/index.ts';
import { fig } from '../system/fig-commands.ts';
import { startChromium } from './chromium.ts';

const EVIL = 'evil.test';
/** What the page does: a script of a browser, which knows other globals than Node. */
const ATTACK = readFileSync(join(projectRoot, 'tests', 'browser', 'attack.js'), 'utf8');
const SKU = 'SHIP-001';

interface Target {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

const post = (name: string, path: string, body: object): Target => ({
  name,
  method: 'POST',
  path,
  body,
});
const get = (name: string, path: string): Target => ({ name, method: 'GET', path });
const order = { capability: 'inventory' };
const adjustment = { delta: 7, reason: 'count' };

/** Each route of the engine and the admin port, and a write of each process of the shop. */
const TARGETS: readonly Target[] = [
  ...['/backfills', '/removals', '/reconciles', '/completions', '/repairs'].map((path) =>
    post('engine', path, order),
  ),
  post('engine', '/handovers', { ...order, to: 'extracted' }),
  post('engine', '/aborts', { ...order, handover: 'any' }),
  ...['/status', '/routing', '/handovers', '/barrier/inventory'].map((path) => get('engine', path)),
  post('admin', '/links', {}),
  ...['/', '/status', '/holds', '/upstreams', '/explain?path=/api/products'].map((path) =>
    get('admin', path),
  ),
  post('monolith', `/api/inventory/${SKU}/adjustments`, adjustment),
  post('inventory', `/api/inventory/${SKU}/adjustments`, adjustment),
  post('payment', '/api/payments/none/refunds', { amount: 1 }),
  post('facade', `/api/inventory/${SKU}/adjustments`, adjustment),
  ...['monolith', 'inventory', 'payment'].map((name) => get(name, '/fences')),
  post('provider', '/charges', {
    paymentId: 'evil',
    amount: 1,
    currency: 'USD',
    method: 'card_ok',
  }),
];

async function stateOf(system: System): Promise<unknown> {
  const headers = asOperator(system);
  const ask = async (name: string, path: string): Promise<unknown> =>
    (await request('GET', `${system.urls[name]}${path}`, { headers })).body;
  const { capabilities } = (await ask('engine', '/status')) as {
    readonly capabilities: readonly Readonly<Record<string, unknown>>[];
  };
  return {
    capabilities: capabilities.map(({ capability, owner, fences, backfill, moving }) => {
      return { capability, owner, fences, backfill, moving };
    }),
    handovers: await ask('engine', '/handovers'),
    stock: await ask('monolith', `/api/inventory/${SKU}`),
    ledger: await ask('provider', '/ledger'),
    fences: await Promise.all(['monolith', 'inventory'].map((name) => ask(name, '/fences'))),
  };
}

async function withForeignPage(use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html' });
    res.end(`<!doctype html><body><script>${ATTACK}</script></body>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function tryAll(page: Page, system: System): Promise<readonly string[]> {
  const read: string[] = [];
  for (const target of TARGETS) {
    const url = `${system.urls[target.name]}${target.path}`;
    const call = `attack(${JSON.stringify(url)}, ${JSON.stringify(target)})`;
    for (const text of await page.evaluate<string[]>(call)) {
      read.push(`${target.method} ${target.name}${target.path}: ${text}`);
    }
  }
  return read;
}

describe('a page of another origin, in Chromium', () => {
  it.each([EVIL, '127.0.0.1', 'localhost'])(
    'reads nothing and changes nothing, also with an operator signed in: %s',
    (name) =>
      withSystem({}, async (system) => {
        const browser = await startChromium([EVIL]);
        try {
          const context = await browser.newContext();
          const operator = await context.newPage();
          await operator.goto((await fig(system, 'open --print')).stdout.trim());
          expect(await operator.textContent('body')).toContain('operators');
          const before = await stateOf(system);
          await withForeignPage(async (at) => {
            const page = await context.newPage();
            await page.goto(`http://${name}${at}`);
            expect(await tryAll(page, system)).toEqual([]);
          });
          expect(await stateOf(system)).toEqual(before);
          // Still signed in: it was not the lack of a session that kept the page out.
          await operator.goto(`${system.urls['admin']}/status`);
          expect(await operator.textContent('body')).toContain('capabilities');
        } finally {
          await browser.close();
        }
      }),
    300_000,
  );

  it(
    'is refused under a name that is looked up as this machine (DNS rebinding)',
    () =>
      withSystem({}, async (system) => {
        const browser = await startChromium([EVIL]);
        try {
          const page = await browser.newPage();
          for (const name of [
            'engine',
            'admin',
            'monolith',
            'inventory',
            'payment',
            'provider',
            'facade',
          ]) {
            const { port } = new URL(system.urls[name] ?? '');
            for (const path of ['/livez', '/status', '/fences', '/api/products']) {
              const answer = await page.goto(`http://${EVIL}:${port}${path}`);
              expect([name, path, answer?.status()]).toEqual([name, path, 403]);
            }
          }
        } finally {
          await browser.close();
        }
      }),
    120_000,
  );
});
