import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** An empty database on some server. */
export interface PostgresDatabase {
  readonly url: string;
  /** Ends the sessions that are left, too. */
  drop(): Promise<void>;
}

/** The first version whose databases may be ordered by ICU's rules. */
const WITH_ICU = 150_000;

/**
 * Creates a database with a name of its own. Its texts are ordered as people do, where the server can:
 * most databases in use are, and what needs byte order has to say so.
 * @param serverUrl of any database of the server, as a user who may create others
 */
export async function createPostgresDatabase(serverUrl: string): Promise<PostgresDatabase> {
  const name = `fig_test_${randomBytes(8).toString('hex')}`;
  await onServer(serverUrl, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      "SELECT current_setting('server_version_num') AS version",
    );
    const icu =
      Number(rows[0]?.version) >= WITH_ICU ? "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" : '';
    await client.query(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' ${icu}`,
    );
  });
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () =>
      onServer(serverUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

async function onServer(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
