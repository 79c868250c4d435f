import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import { findCommand, findProgram } from '../../system/index.ts';
import type { Program } from '../../system/index.ts';
import { request, withSystem } from '../support/index.ts';

const repository = new URL('../../', import.meta.url);
const folder = fileURLToPath(new URL('deploy/prometheus/', repository));
const run = promisify(execFile);
let promtool: Program;

beforeAll(async () => {
  const path = process.env['PATH'] ?? '';
  promtool = await findProgram({
    name: 'promtool',
    installed: findCommand('promtool', path),
    path,
    cacheDir: fileURLToPath(new URL('.cache/prometheus', repository)),
    packages: ['prometheus'],
    libraries: /^$/,
    find: (root) => `${root}/usr/bin/promtool`,
    log: createLog('test', 'silent'),
    missing: (reason = 'there is no apt-get') => new Error(`no promtool: ${reason}`),
  });
}, 300_000);

/** @throws Error with what promtool says of what it was given */
async function judge(args: readonly string[], input?: string): Promise<string> {
  const judging = run(promtool.path, [...args], {
    cwd: folder,
    env: { ...process.env, ...promtool.env },
  });
  if (input !== undefined) judging.child.stdin?.end(input);
  return (await judging).stdout;
}

describe('promtool', () => {
  it('takes the configuration and the rules, and each rule fires when it should', async () => {
    expect(await judge(['check', 'config', 'prometheus.yml'])).toMatch(/SUCCESS/);
    expect(await judge(['test', 'rules', 'alerts.test.yml'])).toMatch(/SUCCESS/);
  });

  it('has nothing to say against the metrics of any process', () =>
    withSystem({}, async ({ urls }) => {
      for (const name of [
        'admin',
        'engine',
        'monolith',
        'inventory',
        'payment',
        'notification',
        'order-view',
      ]) {
        const { body } = await request<string>('GET', `${urls[name]}/metrics`);
        // What Node says of itself is named by prom-client.
        const ours = body
          .split('\n')
          .filter((line) => /^(?:# (?:HELP|TYPE) )?fig_/.test(line))
          .join('\n');
        expect(ours).toMatch(/fig_/);
        expect({ name, said: await judge(['check', 'metrics'], `${ours}\n`) }).toEqual({
          name,
          said: '',
        });
      }
    }));
});
