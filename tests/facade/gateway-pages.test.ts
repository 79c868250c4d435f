import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defineConfig } from '../../routing/index.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { projectRoot } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';
import { examplesOf, follow } from './gateway-page.ts';
import { json, withStand } from './stand.ts';
import type { Fixture } from './stand.ts';

describe('what docs/gateway shows', () => {
  it('is all run', async () => {
    const pages = await readdir(join(projectRoot, 'docs', 'gateway'));
    expect(pages.sort()).toEqual([
      'README.md',
      'authentication.md',
      'caching.md',
      'compositions.md',
      'discovery.md',
      'health.md',
      'instances.md',
      'openapi.md',
      'rate-limits.md',
      'resilience.md',
      'versions.md',
    ]);
    expect(await examplesOf('README.md')).toEqual([]);
  });

  it('of authentication, caching, compositions, documents and versions happens', async () => {
    for (const [page, steps] of [
      ['authentication.md', [2, 0]],
      ['caching.md', [3]],
      ['compositions.md', [1]],
      ['openapi.md', [2]],
      ['versions.md', [3]],
    ] as const) {
      const examples = await examplesOf(page);
      expect([page, examples.map((example) => example.steps.length)]).toEqual([page, steps]);
      for (const example of examples) {
        await withStand({ config: example.config }, ({ url }) => follow(url, example));
      }
    }
  });

  it.each(['instances.md', 'discovery.md'])('of %s is a configuration', async (page) => {
    const examples = await examplesOf(page);
    expect(examples).not.toEqual([]);
    for (const example of examples) {
      expect(() => defineConfig(example.config as FigConfigInput)).not.toThrow();
    }
  });

  it('of rate limits happens', async () => {
    const examples = await examplesOf('rate-limits.md');
    expect(examples.map(({ steps }) => steps.length)).toEqual([3]);
    for (const example of examples) {
      await withStand({ config: example.config }, ({ url }) => follow(url, example));
    }
  });

  it('of resilience happens', async () => {
    const [all, fallback, ...more] = await examplesOf('resilience.md');
    if (!all || !fallback) throw new Error('the page shows less');
    expect([all, fallback].map(({ steps }) => steps.length)).toEqual([4, 1]);
    expect(more).toEqual([]);
    const fail: Fixture['answer'] = (_req, res) => json(res, 500, {});
    await withStand({ config: all.config }, ({ url, legacy }) =>
      follow(url, all, {
        0: () => {
          legacy.answer = (req) => {
            legacy.answer = (_req, res) => json(res, 200, {});
            req.socket.destroy();
          };
        },
        1: () => {
          legacy.answer = fail;
        },
      }),
    );
    await withStand({ config: fallback.config }, async ({ url, extracted, flags }) => {
      extracted.answer = fail;
      await flags({ 'stock.reads': 100 });
      const headers = { 'x-customer-id': 'CORK' };
      await eventually(async () => {
        const answer = await request('GET', `${url}/api/stock`, { headers });
        expect(answer.headers).toHaveProperty('x-fig-fallback');
      });
      await follow(url, fallback);
    });
  });
});
