import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually, temporaryPostgresDatabase, withPostgres } from '../tests/support/index.ts';
import { isAlive, projectRoot } from '../supervisor/index.ts';

async function ask<T>(url: string, sql: string): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, T>>(sql);
    return Object.values(rows[0] ?? {})[0] as T;
  } finally {
    await client.end();
  }
}

/** Starts a server, says which, and waits for its end. */
const OWNER = `
  import { startPostgres } from './system/index.ts';
  const postgres = await startPostgres();
  console.log(JSON.stringify({ pid: postgres.pid(), url: postgres.url }));
  setInterval(() => {}, 1000);`;

describe('startPostgres', () => {
  it('loses nothing that was committed when it is killed, and is there again', () =>
    withPostgres(async (postgres) => {
      const { url } = await postgres.createDatabase();
      const before = postgres.pid();
      await ask(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await postgres.kill();
      await eventually(async () => expect(await ask(url, 'SELECT answer FROM kept')).toBe(42));
      expect(postgres.pid()).not.toBe(before);
    }));

  it('leaves neither process nor folder, also when its owner is killed', async () => {
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', OWNER], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      owner.stdout.setEncoding('utf8').once('data', resolve),
    );
    const { pid, url } = JSON.parse(line) as { pid: number; url: string };
    const folder = dirname(await ask<string>(url, 'SHOW data_directory'));
    owner.kill('SIGKILL');
    await eventually(() => !isAlive(pid) && !existsSync(folder));
  });
});

describe('temporaryPostgresDatabase', () => {
  it('is a database of its own on a server that others share', async () => {
    const [one, other] = [await temporaryPostgresDatabase(), await temporaryPostgresDatabase()];
    const started = 'SELECT pg_postmaster_start_time()::text';
    expect(await ask(one.url, started)).toBe(await ask(other.url, started));
    await ask(one.url, 'CREATE TABLE here AS SELECT 1');
    await expect(ask(other.url, 'SELECT * FROM here')).rejects.toThrow('does not exist');
    for (const { drop } of [one, other]) await drop();
    await expect(ask(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  it('orders text as people do, so that what needs byte order has to say so', async () => {
    const { url, drop } = await temporaryPostgresDatabase();
    expect(await ask(url, "SELECT 'a' < 'B'")).toBe(true);
    expect(await ask(url, `SELECT 'a' < 'B' COLLATE "C"`)).toBe(false);
    await drop();
  });
});
