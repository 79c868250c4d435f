/**
 * `npm run fixtures`: records what a build writes, so that later builds can be tried on it. A real
 * system of that build takes orders, moves a capability, and is stopped or killed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import SqliteFile from 'better-sqlite3';
import { Command } from 'commander';
import { openDatabase } from '../../chassis/index.ts';
import type { Dialect } from '../../chassis/index.ts';
import { projectRoot, startPostgres } from '../../system/index.ts';
import type { PrivatePostgres } from '../../system/index.ts';
import { dialects } from '../support/index.ts';
import { BuiltSystem } from './built-system.ts';
import { Recording } from './recording.ts';
import { DATABASES, FIXTURES, MOMENTS, variableOf } from './recorded.ts';
import type { Facts, Moment } from './recorded.ts';

const command = new Command('npm run fixtures --')
  .description('Records data that a build writes, as fixtures for the tests of later builds.')
  .argument('[names...]', 'such as sqlite-closed; all when left out')
  .option('--build <dir>', 'a built clone of the commit to record (default: this one)')
  .option('--name <name>', 'of the folder to write; the commit when left out')
  .addHelpText('after', '\nExit code: 0 done, 1 failed, 2 wrong usage.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse();
const given = command.opts<{ readonly build?: string; readonly name?: string }>();
const build = resolve(given.build ?? projectRoot);
const name =
  given.name ??
  execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: build, encoding: 'utf8' }).trim();

const postgres = await startPostgres();
try {
  for (const dialect of dialects) {
    for (const moment of MOMENTS) {
      const wanted = command.args.length === 0 || command.args.includes(`${dialect}-${moment}`);
      if (wanted) await record(dialect, moment, postgres);
    }
  }
} finally {
  await postgres.stop();
}

async function record(dialect: Dialect, moment: Moment, server: PrivatePostgres): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fig-fixture-'));
  const variables: Record<string, string> = {};
  if (dialect === 'postgres') {
    for (const each of DATABASES) {
      variables[variableOf(each)] = (await server.createDatabase()).url;
    }
    const load = ['dist/monolith/load.js', '--sample'];
    execFileSync(process.execPath, load, { cwd: build, env: { ...process.env, ...variables } });
  }
  const system = new BuiltSystem({ build, dataDir, variables });
  const recording = new Recording(system, (each) =>
    openDatabase(variables[variableOf(each)] ?? `file:${join(dataDir, `${each}.db`)}`),
  );
  const known = await recording.until(moment).catch(async (error: unknown) => {
    await system.kill();
    throw error;
  });
  const folder = join(FIXTURES, name, `${dialect}-${moment}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const facts: Facts = { dialect, moment, ...known };
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
  keep(folder, 'flags.json', readFileSync(join(dataDir, 'flags.json')));
  for (const each of DATABASES) {
    if (dialect === 'postgres') {
      keep(folder, `${each}.sql`, dump(server, variables[variableOf(each)] ?? ''));
      continue;
    }
    const file = join(dataDir, `${each}.db`);
    checkpoint(file);
    keep(folder, `${each}.db`, readFileSync(file));
  }
  rmSync(dataDir, { recursive: true });
  process.stderr.write(`recorded ${folder}\n`);
}

/** As whoever opens the file next would do; its log holds each page many times. */
function checkpoint(file: string): void {
  const database = new SqliteFile(file);
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

function keep(folder: string, file: string, content: Buffer): void {
  writeFileSync(join(folder, `${file}.br`), brotliCompressSync(content));
}

/** As statements that any client can run. */
function dump({ programs }: PrivatePostgres, url: string): Buffer {
  const parameters = ['--no-owner', '--rows-per-insert=100', url];
  const text = execFileSync(join(programs, 'pg_dump'), parameters, { encoding: 'utf8' });
  // Words for psql, and who wrote it when.
  return Buffer.from(text.replaceAll(/^(\\|--).*\n/gm, ''));
}
