import Database from 'better-sqlite3';
import { createRequire } from 'node:module';
import { onceUnlocked } from './sqlite-lock.ts';

// knex offers no other way to choose how a transaction begins than these two classes, which are
// not part of its public entry.
const require = createRequire(import.meta.url);
const SqliteTransaction = require('knex/lib/dialects/sqlite3/execution/sqlite-transaction.js') as {
  new (...parameters: unknown[]): object;
};

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

/**
 * Begins with the write lock. A deferred transaction that reads first and writes later is refused
 * with SQLITE_BUSY_SNAPSHOT instead of seeing a fence that closed meanwhile. SQLite's own busy
 * handler would sleep synchronously and stop every other request of the process, so the wait is
 * `onceUnlocked` here.
 */
class ImmediateTransaction extends SqliteTransaction {
  begin(connection: RawConnection): Promise<void> {
    // Not by the class's own query method: that ends the transaction at the first error.
    return onceUnlocked(() => prepared(connection, 'BEGIN IMMEDIATE').run());
  }
}

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
 * knex's better-sqlite3 client, with the pragmas Fig relies on, transactions that take the write
 * lock at once, and prepared statements kept per connection.
 */
export class FigSqliteClient extends Base {
  acquireRawConnection(): Promise<RawConnection> {
    const { filename, readonly = false } = this.connectionSettings;
    const connection: RawConnection = new Database(filename, { timeout: 0, readonly });
    configure(connection, readonly);
    return Promise.resolve(connection);
  }

  transaction(container: unknown, config: unknown, outer: unknown): unknown {
    return new ImmediateTransaction(this, container, config, outer);
  }

  queryCompiler(builder: unknown, bindings: unknown): unknown {
    return new LiteralLimits(this, builder, bindings);
  }

  async _query(connection: RawConnection, query: Query): Promise<Query> {
    const statement = prepared(connection, query.sql);
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

function configure(connection: RawConnection, readonly: boolean): void {
  connection.pragma('foreign_keys = ON');
  // REPLACE fires delete triggers only with this, and the change feed needs them.
  connection.pragma('recursive_triggers = ON');
  connection.pragma('synchronous = FULL');
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
