import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findCommand, findProgram, howToGet, projectRoot } from '../supervisor/index.ts';
import type { Program, Progress } from '../supervisor/index.ts';

/** No PostgreSQL server is to be had on this machine; the message says how to get one. */
export class PostgresMissing extends Error {
  override readonly name = 'PostgresMissing';
}

interface FindOptions {
  readonly log: Progress;
  /** Searched for `postgres`, `initdb`, `apt-get` and `dpkg`. */
  readonly path?: string;
  /** Where Debian and Ubuntu put the servers, which are not on the PATH there. */
  readonly versions?: string;
  /** Where a downloaded server is kept between runs. */
  readonly cacheDir?: string;
}

/**
 * A PostgreSQL server of this machine: from the PATH, from where Debian installs it, from an earlier
 * download, or downloaded now from the distribution's own packages.
 * @returns the program `postgres`; `initdb` and the others are beside it
 * @throws PostgresMissing when none of these works
 */
export function findPostgres({
  log,
  path = process.env['PATH'] ?? '',
  versions = '/usr/lib/postgresql',
  cacheDir = join(projectRoot, '.cache', 'postgres'),
}: FindOptions): Promise<Program> {
  return findProgram({
    name: 'PostgreSQL',
    installed: installedServer(path) ?? newest(versions),
    packages: ['postgresql'],
    // Not the scripts that manage clusters, nor the compiler of queries, which is large and off.
    parts: /^postgresql-(client-)?\d/,
    libraries: /^lib(?!llvm)/,
    find: (root) => newest(join(root, 'usr', 'lib', 'postgresql')) ?? join(root, 'postgres'),
    missing: (reason) => new PostgresMissing(howToGet(HOW_TO_GET_POSTGRES, reason)),
    path,
    cacheDir,
    log,
  });
}

/** A program that comes with the server. */
export function besidePostgres(postgres: Program, name: string): Program {
  return { ...postgres, path: join(dirname(postgres.path), name) };
}

function installedServer(path: string): string | undefined {
  const found = findCommand('postgres', path);
  if (found === undefined) return undefined;
  const server = realpathSync(found);
  return findCommand('initdb', dirname(server)) === undefined ? undefined : server;
}

/** The server of the highest version in a folder with one folder for each. */
function newest(versions: string): string | undefined {
  return foldersIn(versions)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => installedServer(join(versions, version, 'bin')))
    .find((server) => server !== undefined);
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

const HOW_TO_GET_POSTGRES = [
  'The tests need a PostgreSQL server and found none. Any one of these will do:',
  '  macOS           brew install postgresql@17',
  '  Debian, Ubuntu  sudo apt-get install postgresql',
  '  Docker          docker run --rm -p 127.0.0.1:5432:5432 -e POSTGRES_PASSWORD=fig postgres:17',
  '                  and FIG_TEST_POSTGRES_URL=postgres://postgres:fig@127.0.0.1:5432/postgres npm test',
];
