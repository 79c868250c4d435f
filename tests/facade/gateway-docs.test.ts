import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { defineConfig } from '../../routing/index.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { projectRoot } from '../../system/index.ts';

const FOLDER = join(projectRoot, 'docs', 'gateway');
const BASE: FigConfigInput = {
  upstreams: { monolith: 'http://127.0.0.1:1', inventory: 'http://127.0.0.1:2' },
  monolith: 'monolith',
  capabilities: {
    inventory: { legacy: 'monolith', extracted: 'inventory', routes: ['/api/inventory/*'] },
  },
};

const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));

describe.each(pages)('docs/gateway/%s', (page) => {
  const text = readFileSync(join(FOLDER, page), 'utf8');

  it('shows configuration that is taken as it stands', () => {
    for (const [, snippet = ''] of text.matchAll(/```ts\n([^]*?)```/g)) {
      const value: unknown = runInNewContext(`({ ${snippet} })`);
      const settings = JSON.parse(JSON.stringify(value)) as Partial<FigConfigInput>;
      expect(() => defineConfig({ ...BASE, ...settings })).not.toThrow();
      expect(settings.gateway).toBeDefined();
    }
  });

  it('is listed, and has something to configure', () => {
    if (page === 'README.md') return;
    expect(readFileSync(join(FOLDER, 'README.md'), 'utf8')).toContain(`](${page})`);
    expect(text).toContain('```ts\n');
  });
});
