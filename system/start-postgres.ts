import { chownSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../chassis/index.ts';
import { Supervised, logFiles } from '../supervisor/index.ts';
import type { Identity } from '../supervisor/index.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { findPostgres } from './postgres-find.ts';
import { guardPostgres } from './postgres-guard.ts';
import { PostgresServer } from './postgres-server.ts';
import { reachable, unprivileged } from './unprivileged.ts';

/** A PostgreSQL of one's own, apart from any system; it is started again when it dies. */
export interface PrivatePostgres {
  /** The database that comes with the server, for its owner. */
  readonly url: string;
  /** The folder of `initdb`, `pg_dump` and the others. */
  readonly programs: string;
  createDatabase(): Promise<PostgresDatabase>;
  pid(): number | undefined;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Leaves nothing behind. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL on a free port with data in a temporary folder, for tests and tools. It ends
 * with this process, and its folder goes, whatever happens.
 * @param options.durable whether it also survives a power cut, which costs time
 * @throws PostgresMissing when this machine has none and none can be fetched
 */
export async function startPostgres({ durable = false } = {}): Promise<PrivatePostgres> {
  const progress = createLog('supervisor', 'info', process.stderr);
  const found = await findPostgres({ log: progress });
  const identity = await unprivileged();
  const directory = temporaryFolder(identity);
  const guard = guardPostgres(directory);
  const program = await reachable(found, identity, join(directory, 'programs'));
  const sink = logFiles(directory);
  const log = createLog('supervisor', 'info', {
    write: (line: string) => sink.write('supervisor', line.trimEnd()),
  });
  const server = new PostgresServer({ program, identity, directory, durable, sink });
  const postgres = new Supervised(server, { log, onDeath: () => {}, onRebirth: () => {} });
  const clear = async (): Promise<void> => {
    sink.close();
    await guard.dismiss();
  };
  try {
    await postgres.start(3);
  } catch (error) {
    await clear();
    throw error;
  }
  return {
    url: server.url,
    programs: join(program.path, '..'),
    createDatabase: () => createPostgresDatabase(server.url),
    pid: () => postgres.pid,
    kill: (signal = 'SIGKILL') => postgres.kill(signal),
    stop: async () => {
      await postgres.stop(10_000);
      await clear();
    },
  };
}

/** Belongs to whom the server runs as, since it has to write there. */
function temporaryFolder(identity: Identity | undefined): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'fig-postgres-'));
  if (identity !== undefined) chownSync(directory, identity.uid, identity.gid);
  return directory;
}
