import { setTimeout as delay } from 'node:timers/promises';
import { Client, Pool, types } from 'pg';
import type { ClientBase, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { backoff, errorText, shownUrl } from '../../../chassis/index.ts';
import { MissingRightError } from '../../check/missing-right.ts';
import { identifier } from '../../wording.ts';
import type { CommitWatch } from '../../sides/side-database.ts';

/** A connection inside a transaction. */
export type PostgresClient = Pick<PoolClient, 'query'>;

/** The database did not answer, or refused to let us in; the message names it, without a password. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

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
const CONNECT_MS = 10_000;
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

/** Why a listener hears nothing; null when it hears again. */
type OnLost = (reason: string | null) => void;

/** The first pause before a connection is made again, and the longest, in ms; each is twice the one before. */
const AGAIN = { firstMs: 50, longestMs: 5_000 };

/** A connection that only listens. It is made again after it was lost, when somebody asks for it. */
class Listener implements CommitWatch {
  readonly #url: string;
  readonly #channel: string;
  readonly #onNotify: () => void;
  readonly #onLost: OnLost;
  #client: Client | undefined;
  #closed = false;
  /** Since it has listened for as long as the longest pause. */
  #losses = 0;
  #retryAt = 0;
  #heardSince: number | undefined;
  #isLost = false;

  constructor(url: string, channel: string, onNotify: () => void, onLost: OnLost) {
    this.#url = url;
    this.#channel = channel;
    this.#onNotify = onNotify;
    this.#onLost = onLost;
  }

  ensure(): boolean {
    if (this.#client !== undefined) return this.#heardSince !== undefined;
    if (this.#closed || performance.now() < this.#retryAt) return false;
    const client = new Client({
      connectionString: this.#url,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'fig engine listening',
    });
    this.#client = client;
    client.on('error', (error) => this.#lose(client, errorText(error)));
    client.on('end', () => this.#lose(client, 'the server has closed the connection'));
    client.on('notification', this.#onNotify);
    void this.#listen(client).catch((error: unknown) => {
      this.#lose(client, errorText(error));
      return client.end();
    });
    return false;
  }

  close(): void {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    void client?.end().catch(() => undefined);
  }

  async #listen(client: Client): Promise<void> {
    await client.connect();
    await client.query(`LISTEN "${this.#channel.replaceAll('"', '""')}"`);
    this.#heardSince = performance.now();
    if (this.#isLost) this.#onLost(null);
    this.#isLost = false;
    // What was committed before it listened has told nobody.
    this.#onNotify();
  }

  /** A server that is away, or ends each connection at once, is asked less and less often. */
  #lose(client: Client, reason: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    const now = performance.now();
    const lasted = this.#heardSince !== undefined && now - this.#heardSince >= AGAIN.longestMs;
    this.#heardSince = undefined;
    this.#losses = lasted ? 1 : this.#losses + 1;
    this.#retryAt = now + backoff(this.#losses, AGAIN);
    if (!this.#isLost) this.#onLost(reason);
    this.#isLost = true;
  }
}

const { BOOL, BYTEA, FLOAT4, FLOAT8, INT2, INT4, INT8, OID } = types.builtins;
const AS_PG_DOES: ReadonlySet<number> = new Set([BOOL, BYTEA, FLOAT4, FLOAT8, INT2, INT4, OID]);
const WHOLE: ReadonlySet<number> = new Set([INT8]);

/** Whole numbers are numbers, or bigints beyond 2^53; what pg makes a Date or an object stays text. */
const VALUES = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: never) => unknown {
    if (WHOLE.has(oid)) return wholeNumber;
    return AS_PG_DOES.has(oid) ? types.getTypeParser(oid, format) : (value) => value;
  },
};

function wholeNumber(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** Waited for a lock for longer than it may (55P03), or was chosen to give way (40P01). */
export function isLockTimeout(error: unknown): boolean {
  return ['55P03', '40P01'].includes(sqlState(error) ?? '');
}

/** The SQLSTATE of an error that a server sent. */
export function sqlState(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

const NO_RIGHTS = '42501';

function noConnect(url: string): string {
  const { username, pathname } = new URL(url);
  const user = identifier(decodeURIComponent(username));
  const database = identifier(
    decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username),
  );
  return `database ${database}: ${user} may not connect to it; GRANT CONNECT ON DATABASE ${database} TO ${user}`;
}

/** The server ended the session, or the network did. */
function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return /^(08|57P0)/.test(state);
  return error instanceof Error && /connection|ECONN|EPIPE|socket/i.test(error.message);
}

/** Names the right that a user lacks who may not connect. */
function unreachable(url: string, error: unknown): UnreachableError | MissingRightError {
  if (error instanceof UnreachableError) return error;
  if (sqlState(error) === NO_RIGHTS)
    return new MissingRightError([noConnect(url)], { cause: error });
  // Of a name with several addresses, each attempt has an error of its own, and the whole none.
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const reason = errorText(first);
  return new UnreachableError(`the database ${shownUrl(url)} can't be reached: ${reason}`, {
    cause: error,
  });
}
