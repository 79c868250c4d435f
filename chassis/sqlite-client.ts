import Database from 'better-sqlite3';
import knex from 'knex';
import type { Knex } from 'knex';
import { createRequire } from 'node:module';
import { BEGIN, onceUnlocked } from './sqlite-lock.ts';

// knex offers no other way to change how statements are written and run than classes which are not
// part of its public entry.
const require = createRequire(import.meta.url);
const SqliteCompiler = require('knex/lib/dialects/sqlite3/query/sqlite-querycompiler.js') as {
  new (...parameters: unknown[]): BaseCompiler;
};

interface BaseCompiler {
  single: { limit?: unknown; skipBinding?: Record<string, boolean> };
  limit(): string;
}

interface ConnectionSettings {
  filename: string;
  readonly?: boolean;
}

type RawConnection = Database.Database & { statements?: Map<string, Database.Statement> };

/** A bound LIMIT may change the plan, so SQLite compiles such a statement again each time it runs. */
class LiteralLimits extends SqliteCompiler {
  override limit(): string {
    const { limit, skipBinding } = this.single;
    if (skipBinding && Number.isSafeInteger(limit)) skipBinding['limit'] = true;
    return super.limit();
  }
}

interface Query {
  sql: string;
  bindings?: unknown[];
  response?: unknown;
  context?: unknown;
}

interface BaseClient {
  connectionSettings: ConnectionSettings;
  _formatBindings(bindings: unknown[] | undefined): unknown[];
}

const Base = require('knex/lib/dialects/better-sqlite3/index.js') as {
  new (config: unknown): BaseClient;
};

/**
 * knex's better-sqlite3 client, with the pragmas Fig relies on, and prepared statements kept per
 * connection.
 */
class FigSqliteClient extends Base {
  #connection: RawConnection | undefined;
  #closed = false;

  /** There is one connection, and each statement is done when it returns: nobody need wait for it. */
  async acquireConnection(): Promise<RawConnection> {
    if (this.#closed) throw new Error(`${this.connectionSettings.filename} is closed`);
    return (this.#connection ??= this.#open());
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#closed = true;
    this.#connection?.close();
  }

  #open(): RawConnection {
    const { filename, readonly = false } = this.connectionSettings;
    const connection: RawConnection = new Database(filename, { timeout: 0, readonly });
    configure(connection, readonly);
    return connection;
  }

  /** What knex would make of a transaction costs more than all that happens in it. */
  transaction(): never {
    throw new Error('write by Database.transaction, which knows how to wait');
  }

  queryCompiler(builder: unknown, bindings: unknown): unknown {
    return new LiteralLimits(this, builder, bindings);
  }

  async _query(connection: RawConnection, query: Query): Promise<Query> {
    const statement = prepared(connection, query.sql);
    if (query.sql === BEGIN) {
      await onceUnlocked(() => statement.run());
      return query;
    }
    const bindings = this._formatBindings(query.bindings);
    if (statement.reader) {
      query.response = statement.all(bindings);
      return query;
    }
    const result = statement.run(bindings);
    query.response = result;
    query.context = { lastID: result.lastInsertRowid, changes: result.changes };
    return query;
  }
}

/** A connection to a SQLite file, whose statements run one after the other. */
export function connectSqlite(filename: string, { readonly = false } = {}): Knex {
  return knex({
    client: FigSqliteClient as unknown as typeof Knex.Client,
    connection: { filename, readonly } as Knex.Sqlite3ConnectionConfig,
    useNullAsDefault: true,
  });
}

function configure(connection: RawConnection, readonly: boolean): void {
  connection.pragma('foreign_keys = ON');
  // REPLACE fires delete triggers only with this, and the change feed needs them.
  connection.pragma('recursive_triggers = ON');
  // `WalSync` syncs a commit before its caller gets the result.
  connection.pragma('synchronous = NORMAL');
  if (!readonly) enableWriteAheadLog(connection);
}

/** Changing the journal mode takes an exclusive lock that no timer of ours can wait for. */
function enableWriteAheadLog(connection: RawConnection): void {
  if (connection.pragma('journal_mode', { simple: true }) === 'wal') return;
  connection.pragma('busy_timeout = 5000');
  connection.pragma('journal_mode = WAL');
  connection.pragma('busy_timeout = 0');
}

const STATEMENTS_KEPT = 500;

function prepared(connection: RawConnection, sql: string): Database.Statement {
  const statements = (connection.statements ??= new Map<string, Database.Statement>());
  const known = statements.get(sql);
  if (known) return known;
  const statement = connection.prepare(sql);
  if (statements.size >= STATEMENTS_KEPT) statements.clear();
  statements.set(sql, statement);
  return statement;
}
