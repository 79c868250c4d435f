import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import type { PoolClient } from 'pg';
import { foreignAmong, MARK_TABLE, SCRATCH_TABLES } from '../../conformance/scratch.ts';
import type { Contents, ScratchDatabase, ScratchFence } from '../../conformance/scratch.ts';
import { sharedFunctions } from './functions.ts';
import { searchPathOf } from './install.ts';
import { sharedTables } from './tables.ts';
import { FENCE_TRIGGER } from './triggers.ts';
import { name } from './values.ts';

const LOOK_MS = 5;
/** How long a write may take until it comes to its tables, in ms. */
const BEGIN_MS = 10_000;
const FIG_TABLES = `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'fig\\_%'
  AND pg_table_is_visible(oid)`;
const BUSINESS_TABLES = `SELECT n.nspname AS schema, c.relname AS table, c.oid::int AS oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'fig\\_%'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  ORDER BY 1, 2`;
const CLOSE = `UPDATE fig_fence SET state = 'closed', epoch = epoch + 1 WHERE capability = $1`;

interface BusinessTable {
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
}

/** A PostgreSQL database for conformance; connecting happens at the first use. */
export function openPostgresScratch(url: string): ScratchDatabase {
  const pool = new Pool({ connectionString: url, max: 4, application_name: 'fig conformance' });
  pool.on('error', () => undefined);
  return {
    async foreignTables() {
      const { rows } = await pool.query<{ relname: string }>(FIG_TABLES);
      return foreignAmong(rows.map(({ relname }) => relname));
    },
    install: (capability) =>
      transaction(pool, async (client) => {
        await drop(client);
        await client.query(`CREATE TABLE ${MARK_TABLE} (capability text NOT NULL)`);
        await client.query(`CREATE TABLE fig_fence ${sharedTables['fig_fence'] ?? ''}`);
        await client.query('GRANT SELECT ON fig_fence TO PUBLIC');
        for (const { sql } of sharedFunctions(await searchPathOf(client))) await client.query(sql);
        await client.query(FENCE_TRIGGER);
        await put(client, capability, [{ key: '*', state: 'open', epoch: 1 }]);
      }),
    set: (capability, fences) => transaction(pool, (client) => put(client, capability, fences)),
    remove: () => transaction(pool, drop),
    contents: (leftOut) => transaction(pool, (client) => contentsIn(client, leftOut)),
    async closeAcross({ capability, leftOut, write }) {
      const keeper = await pool.connect();
      const closer = await pool.connect();
      try {
        const tables = await businessTables(keeper, leftOut);
        await keeper.query('BEGIN');
        // Keeps all writers out, and lets them read what they decide by.
        for (const each of tables) await keeper.query(`LOCK TABLE ${quoted(each)} IN SHARE MODE`);
        const writing = write();
        // A failure is thrown below, where it is awaited.
        writing.catch(() => undefined);
        await untilWaiting(pool, tables, writing);
        const closing = close(closer, capability, leftOut);
        closing.catch(() => undefined);
        const waited = await isKeptWaiting(pool, closer, closing);
        await keeper.query('ROLLBACK');
        const atClose = await closing;
        return { answer: await writing, waited, atClose };
      } finally {
        // Also where something failed: what they hold goes with their connections.
        keeper.release(true);
        closer.release(true);
      }
    },
    close: () => pool.end(),
  };
}

async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    failed = false;
    return result;
  } finally {
    client.release(failed);
  }
}

async function drop(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS there',
    [MARK_TABLE],
  );
  if (rows[0]?.there !== true) return;
  for (const table of SCRATCH_TABLES) await client.query(`DROP TABLE IF EXISTS ${table}`);
  for (const { signature } of sharedFunctions('public').toReversed()) {
    await client.query(`DROP FUNCTION IF EXISTS ${signature}`);
  }
}

async function put(
  client: PoolClient,
  capability: string,
  fences: readonly ScratchFence[],
): Promise<void> {
  // By an update, which waits for the transactions that hold the fence.
  for (const { key, state, epoch } of fences) {
    await client.query(
      `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ($1, $2, $3, $4)
        ON CONFLICT (capability, key) DO UPDATE SET state = excluded.state, epoch = excluded.epoch`,
      [capability, key, state, epoch],
    );
  }
  await client.query('DELETE FROM fig_fence WHERE capability = $1 AND NOT key = ANY ($2)', [
    capability,
    fences.map(({ key }) => key),
  ]);
}

async function businessTables(
  client: PoolClient,
  leftOut: ReadonlySet<string>,
): Promise<readonly BusinessTable[]> {
  const { rows } = await client.query<BusinessTable>(BUSINESS_TABLES);
  return rows.filter(({ table }) => !leftOut.has(table));
}

async function contentsIn(client: PoolClient, leftOut: ReadonlySet<string>): Promise<Contents> {
  const contents = new Map<string, string>();
  for (const each of await businessTables(client, leftOut)) {
    const { rows } = await client.query<{ count: string; hash: string | null }>(
      `SELECT count(*) AS count, md5(string_agg(row, '' ORDER BY row)) AS hash
        FROM (SELECT md5(t::text) AS row FROM ${quoted(each)} t) hashed`,
    );
    const { schema, table } = each;
    const called = schema === 'public' ? table : `${schema}.${table}`;
    contents.set(called, `${rows[0]?.count ?? 0} ${rows[0]?.hash ?? ''}`);
  }
  return contents;
}

/** Closes the fence, as a handover does: it waits for the transactions that hold it. */
async function close(
  client: PoolClient,
  capability: string,
  leftOut: ReadonlySet<string>,
): Promise<Contents> {
  await client.query('BEGIN');
  await client.query(CLOSE, [capability]);
  const contents = await contentsIn(client, leftOut);
  await client.query('COMMIT');
  return contents;
}

/** Resolves once the write waits for one of its tables, or has been answered without. */
async function untilWaiting(
  pool: Pool,
  tables: readonly BusinessTable[],
  writing: Promise<unknown>,
): Promise<void> {
  const oids = tables.map(({ oid }) => oid);
  await until(writing, async () => {
    const { rows } = await pool.query(
      'SELECT FROM pg_locks WHERE NOT granted AND relation::int = ANY ($1) LIMIT 1',
      [oids],
    );
    return rows.length > 0;
  });
}

/** Whether the one who closes is kept waiting; not so once the fence is closed. */
async function isKeptWaiting(
  pool: Pool,
  closer: PoolClient,
  closing: Promise<unknown>,
): Promise<boolean> {
  const { processID } = closer as PoolClient & { readonly processID: number };
  return until(closing, async () => {
    const { rows } = await pool.query<{ kept: boolean }>(
      `SELECT cardinality(pg_blocking_pids($1)) > 0 AS kept`,
      [processID],
    );
    return rows[0]?.kept === true;
  });
}

/** Looks again and again. @returns false when something else has ended before, or it takes too long */
async function until(other: Promise<unknown>, look: () => Promise<boolean>): Promise<boolean> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  other.then(end, end);
  const giveUp = performance.now() + BEGIN_MS;
  while (!ended && performance.now() < giveUp) {
    if (await look()) return true;
    await delay(LOOK_MS);
  }
  return false;
}

function quoted({ schema, table }: BusinessTable): string {
  return `${name(schema)}.${name(table)}`;
}
