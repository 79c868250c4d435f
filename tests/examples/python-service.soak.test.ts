import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { dialects, temporaryPostgresDatabase, withTempDir } from '../support/index.ts';

const run = promisify(execFile);
/** Debian's own: packages of the distribution are not seen by others. */
const PYTHON = '/usr/bin/python3';
const APT = ['install', '--yes', '--no-install-recommends', 'python3-flask', 'python3-psycopg2'];
const FOLDER = join(projectRoot, 'examples', 'python-service');

/** Installs what the example needs where it is missing, which needs root. */
async function install(): Promise<void> {
  const there = run(PYTHON, ['-c', 'import flask, psycopg2']);
  await there.catch(async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', APT, { env }).catch(async () => {
      await run('apt-get', ['update'], { env });
      await run('apt-get', APT, { env });
    });
  });
}

async function withService(database: string, use: (url: string) => Promise<void>): Promise<void> {
  const child = spawn(PYTHON, ['service.py'], {
    cwd: FOLDER,
    env: { ...process.env, DATABASE_URL: database, PORT: '0', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    await use(line.replace('listening on ', ''));
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
  }
}

async function withDatabase(
  dialect: 'sqlite' | 'postgres',
  use: (url: string) => Promise<void>,
): Promise<void> {
  if (dialect === 'sqlite') return withTempDir((folder) => use(`file:${join(folder, 'notes.db')}`));
  const { url, drop } = await temporaryPostgresDatabase();
  try {
    await use(url);
  } finally {
    await drop();
  }
}

describe.each(dialects)('the service in Python on %s', (dialect) => {
  beforeAll(install, 300_000);

  it('keeps the protocol, as fig conformance says', () =>
    withDatabase(dialect, (database) =>
      withService(database, async (url) => {
        const { stdout } = await run(join(projectRoot, 'bin', 'fig'), [
          'conformance',
          url,
          '--capability',
          'notes',
          '--database',
          database,
          '--test-system',
          '--write',
          'POST /notes {"id": "{unique}", "owner": "A", "body": "x"}',
          '--refused-write',
          'POST /notes {"id": "{unique}", "owner": "", "body": "x"}',
          '--read',
          'GET /notes',
          '--key',
          'A',
          '--json',
          '--quiet',
        ]);
        const { checks } = JSON.parse(stdout) as { checks: readonly { verdict: string }[] };
        expect(checks.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
        expect(checks.length).toBe(15);
      }),
    ));
});
