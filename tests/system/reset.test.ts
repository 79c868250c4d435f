import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, startSystem, withoutSystem } from '../../system/index.ts';
import { withTempDir } from '../support/index.ts';

function reset(dataDir: string): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(projectRoot, 'scripts/reset.js')],
    { env: { ...process.env, FIG_DATA_DIR: dataDir }, encoding: 'utf8' },
  );
  return { code: status, output: stdout + stderr };
}

/** What processes make beside their databases, the supervisor's own files and the logs. */
const MADE = [
  'audit.jsonl',
  'auth-secret',
  'contract.json',
  'identity-key.pem',
  'identity-keys.json',
  'token',
];

describe('npm run reset', () => {
  it('refuses while a system runs on the folder, naming its process, and clears it afterwards', () =>
    withTempDir(async (parent) => {
      const dataDir = join(parent, 'data');
      const env = withoutSystem(process.env);
      const system = await startSystem({ dataDir, env, ports: 'free', processes: [] });
      try {
        const refused = reset(dataDir);
        expect(refused.code).toBe(1);
        expect(refused.output).toContain(`(process ${process.pid})`);
      } finally {
        await system.stop();
      }
      for (const name of MADE) writeFileSync(join(dataDir, name), '');
      expect(reset(dataDir)).toMatchObject({ code: 0 });
      expect(existsSync(dataDir)).toBe(false);
    }));

  it('says so when there is nothing to clear', () =>
    withTempDir((parent) => {
      const missing = reset(join(parent, 'missing'));
      expect(missing).toMatchObject({ code: 0 });
      expect(missing.output).toContain('nothing to clear');
      return Promise.resolve();
    }));

  it('refuses a folder that is not one of ours', () =>
    withTempDir((folder) => {
      writeFileSync(join(folder, 'thesis.txt'), 'years of work');
      expect(reset(folder)).toMatchObject({ code: 1 });
      expect(existsSync(join(folder, 'thesis.txt'))).toBe(true);
      return Promise.resolve();
    }));

  it('refuses a data folder that also holds things of others, and removes nothing', () =>
    withTempDir((folder) => {
      writeFileSync(join(folder, 'supervisor.lock'), '');
      mkdirSync(join(folder, 'photos'));
      const refused = reset(folder);
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('photos');
      expect(existsSync(join(folder, 'supervisor.lock'))).toBe(true);
      return Promise.resolve();
    }));
});
