import RawDatabase from 'better-sqlite3';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../../tests/support/index.ts';
import { runCommand } from './run.ts';

const WRITE = ['--write', 'POST /notes {"id": "{unique}"}'];

/** Runs `fig conformance` on a server that answers everything, and counts what it is sent. */
async function conformance(
  folder: string,
  words: readonly string[],
): Promise<{ code: number; stderr: string; writes: number }> {
  let writes = 0;
  const server = createServer((req, res) => {
    if (req.method !== 'GET') writes += 1;
    res.setHeader('content-type', 'application/json').end('{"fences": []}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let stderr = '';
  try {
    const code = await runCommand(['conformance', url, '--capability', 'notes', ...words], {
      stdout: { write: () => true },
      stderr: { write: (text: string) => (stderr += text) },
      env: { FIG_DATA_DIR: folder, FIG_CONFIG: 'examples/any-app/fig.config.yaml' },
    });
    return { code, stderr, writes };
  } finally {
    server.close();
  }
}

describe('fig conformance', () => {
  it('writes nothing unless it is told that this is a test system', () =>
    withTempDir(async (folder) => {
      expect(await conformance(folder, [])).toMatchObject({ code: 0, writes: 0 });
      const { code, stderr, writes } = await conformance(folder, WRITE);
      expect([code, writes]).toEqual([3, 0]);
      expect(stderr).toMatch(/nothing was done\nnext: say --test-system/);
    }));

  it('refuses a database in which a migration is under way', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'notes.db');
      const database = new RawDatabase(file);
      database.exec(`CREATE TABLE notes (id); CREATE TABLE fig_fence (capability, key, state, epoch);
        INSERT INTO fig_fence VALUES ('notes', '*', 'open', 7)`);
      const words = ['--test-system', '--database', `file:${file}`, ...WRITE];
      const { code, stderr, writes } = await conformance(folder, words);
      expect([code, writes]).toEqual([3, 0]);
      expect(stderr).toMatch(/a migration is under way .+fig_fence/);
      expect(database.prepare('SELECT epoch FROM fig_fence').pluck().all()).toEqual([7]);
      database.close();
    }));
});
