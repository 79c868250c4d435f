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
import { allTargets, SKU } from './targets.ts';
import type { Target } from './targets.ts';

const EVIL = 'evil.test';
/** What the page does: a script of a browser, which knows other globals than Node. */
const ATTACK = readFileSync(join(projectRoot, 'tests', 'browser', 'attack.js'), 'utf8');

/** The names of all processes that speak HTTP. */
function serversOf({ urls }: System): readonly string[] {
  return Object.keys(urls).filter((name) => urls[name]?.startsWith('http'));
}

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
    deadLetters: await ask('monolith', '/dead-letters'),
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

async function tryAll(
  page: Page,
  system: System,
  targets: readonly Target[],
): Promise<readonly string[]> {
  const read: string[] = [];
  for (const target of targets) {
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
        const targets = await allTargets();
        const processes = new Set(targets.map(({ name: process }) => process));
        expect([...processes].toSorted()).toEqual(serversOf(system).toSorted());
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
            expect(await tryAll(page, system, targets)).toEqual([]);
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
          for (const name of serversOf(system)) {
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
