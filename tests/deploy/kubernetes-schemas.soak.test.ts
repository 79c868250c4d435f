import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../support/index.ts';
import { checkSchemas } from './check-schemas.ts';
import { KUBERNETES, kustomized } from './manifests.ts';
import type { Manifest } from './manifests.ts';

/** Generated from the schemas that Kubernetes publishes, for its types and for validators. */
const SCHEMAS = 'kubernetes-models@5.1.0';
const run = promisify(execFile);

function withSchemas(use: (folder: string) => Promise<void>): Promise<void> {
  return withTempDir(async (folder) => {
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', SCHEMAS];
    await run('npm', words, { cwd: folder, timeout: 240_000 });
    await use(folder);
  });
}

describe('the manifests of deploy/kubernetes', () => {
  it(
    'are what the published schemas of Kubernetes say, and one with a fault is not',
    () =>
      withSchemas(async (folder) => {
        const { manifests } = kustomized(join(KUBERNETES, 'stand-ins'));
        const check = (faulty: string, text: string): Promise<readonly string[]> => {
          const changed = JSON.stringify(manifests).replace(faulty, text);
          return checkSchemas(folder, JSON.parse(changed) as Manifest[]);
        };
        expect(await check('', '')).toEqual([]);
        for (const [text, fault, problem] of [
          ['"readinessProbe"', '"readynessProbe"', /readynessProbe/],
          ['"containerPort":8080', '"containerPort":"clients"', /containerPort must be integer/],
          ['"maxUnavailable":0', '"maxUnavailabel":0', /maxUnavailabel/],
          ['"selector":{"matchLabels"', '"selektor":{"matchLabels"', /selector/],
        ] as const) {
          expect((await check(text, fault)).join('\n')).toMatch(problem);
        }
      }),
    400_000,
  );
});
