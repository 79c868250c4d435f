import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import type { ClientBase, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { errorText, shownUrl } from '../../../chassis/index.ts';
import type { CommitWatch } from '../../sides/side-database.ts';
import { isConnectionLoss, unreachable, UnreachableError } from './errors.ts';
import { CONNECT_MS, Listener } from './listener.ts';
import type { OnLost } from './listener.ts';
import { VALUES } from './value-parsers.ts';

/** A connection inside a transaction. */
export type PostgresClient = Pick<PoolClient, 'query'>;

export interface TransactionOptions {
  /** Whether the commit must survive a power cut. */
  readonly durable?: boolean;
  /** How long a statement may wait for a lock, in ms; for ever when left out. */
  readonly lockMs?: number;
  /** Whether all of it sees one and the same moment; it may then have to be run again (40001). */
  readonly repeatable?: boolean;
}

/** Several parts of an engine use one at a time; none of them holds one for long. */
const CONNECTIONS = 8;
const ASK_AGAIN_MS = 20;

/** Where the server is set up to lose what it has just committed; stricter settings stay. */
const DURABLE = `SELECT set_config('synchronous_commit', 'on', true)
  WHERE current_setting('synchronous_commit') = 'off'`;

/**
 * Values read are written the same in every session, whatever the server's settings are. A process that
 * is paused within a transaction must not keep its locks from everybody else.
 */
const SESSION = `SET idle_in_transaction_session_timeout = '3s'; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres';
  SET extra_float_digits = 1; SET standard_conforming_strings = on`;

/** The engine's own connections to one PostgreSQL database. */
export class PostgresConnection {
  readonly url: string;
  readonly #pool: Pool;

  /** @param url of a database; connecting happens at the first use */
  constructor(url: string) {
    this.url = url;
    this.#pool = new Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'fig engine',
      types: VALUES,
      // The pool waits for it, which its type does not say.
      onConnect: (client): unknown => setUp(client, url),
    });
    // One that breaks while nobody uses it is replaced when somebody does.
    this.#pool.on('error', () => undefined);
  }

  /** Runs one statement in a transaction of its own. */
  async query<R extends QueryResultRow>(
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryResult<R>> {
    return this.#connected((client) => client.query<R>(query, values && [...values]));
  }

  /**
   * Runs `work` in a transaction, which commits when `work` is fulfilled and else rolls back.
   * @throws what `work` does; UnreachableError
   */
  transaction<T>(
    work: (client: PostgresClient) => Promise<T>,
    { durable = true, lockMs, repeatable = false }: TransactionOptions = {},
  ): Promise<T> {
    const settings = [
      durable ? DURABLE : 'SET LOCAL synchronous_commit = off',
      ...(lockMs === undefined ? [] : [`SET LOCAL lock_timeout = ${Math.ceil(lockMs)}`]),
    ];
    const begin = repeatable ? 'BEGIN ISOLATION LEVEL REPEATABLE READ' : 'BEGIN';
    return this.#within([begin, ...settings].join('; '), work);
  }

  /** Runs `work` on one connection outside of any transaction, for what can't be in one. */
  alone<T>(lockMs: number, work: (client: PostgresClient) => Promise<T>): Promise<T> {
    return this.#connected(async (client, restore) => {
      await client.query(`SET lock_timeout = ${lockMs}`);
      try {
        return await work(client);
      } finally {
        await restore('RESET lock_timeout');
      }
    });
  }

  /**
   * Runs `work` while nobody else does under the same name. Waiting is asking again: who waited inside
   * the database would keep an index from being made beside the writers.
   */
  exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    const lock = 'hashtextextended($1, 0)';
    return this.#connected(async (client, restore) => {
      for (;;) {
        const { rows } = await client.query<{ mine: boolean }>(
          `SELECT pg_try_advisory_lock(${lock}) AS mine`,
          [what],
        );
        if (rows[0]?.mine === true) break;
        await delay(ASK_AGAIN_MS);
      }
      try {
        return await work();
      } finally {
        await restore(`SELECT pg_advisory_unlock(${lock})`, [what]);
      }
    });
  }

  /** Runs `work`, whose reads all see one and the same moment. */
  snapshot<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    return this.#within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work);
  }

  /**
   * Calls `onNotify` for each notification, on a connection of its own, once it is told to.
   * @param onLost told why nothing is heard any more, once, and null when it is again
   */
  watch(channel: string, onNotify: () => void, onLost: OnLost = () => undefined): CommitWatch {
    return new Listener(this.url, channel, onNotify, onLost);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  #within<T>(begin: string, work: (client: PostgresClient) => Promise<T>): Promise<T> {
    return this.#connected(async (client, restore) => {
      try {
        // Where a setting of the transaction is refused, it has begun, and is to be ended.
        await client.query(begin);
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        // What failed first is what is told.
        await restore('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  async #connected<T>(use: (client: PoolClient, restore: Restore) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw unreachable(this.url, error);
    });
    let broken: Error | undefined;
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    const restore: Restore = async (sql, values) => {
      try {
        await client.query(sql, values);
      } catch (error) {
        broken = error as Error;
        throw error;
      }
    };
    try {
      return await use(client, restore);
    } catch (error) {
      if (isConnectionLoss(error)) broken = error as Error;
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

/** Puts a session back as it was before; one that can't be is not given to anybody again. */
type Restore = (sql: string, values?: unknown[]) => Promise<void>;

/**
 * Makes a new session what the engine goes by.
 * @throws UnreachableError where the server refuses that: the session is then not used
 */
async function setUp(client: ClientBase, url: string): Promise<void> {
  try {
    await client.query(SESSION);
  } catch (error) {
    if (isConnectionLoss(error)) throw error;
    const told = `the database ${shownUrl(url)} refuses the settings of a session: ${errorText(error)}`;
    throw new UnreachableError(told, { cause: error });
  }
}
