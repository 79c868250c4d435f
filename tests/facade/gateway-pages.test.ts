import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { examplesOf, follow } from './gateway-page.ts';
import { withStand } from './stand.ts';

describe('what docs/gateway shows', () => {
  it('is all run', async () => {
    const pages = await readdir(join(projectRoot, 'docs', 'gateway'));
    expect(pages.sort()).toEqual(['README.md', 'rate-limits.md']);
    expect(await examplesOf('README.md')).toEqual([]);
  });

  it('of rate limits happens', async () => {
    const examples = await examplesOf('rate-limits.md');
    expect(examples.map(({ steps }) => steps.length)).toEqual([3]);
    for (const example of examples) {
      await withStand({ config: example.config }, ({ url }) => follow(url, example));
    }
  });
});
