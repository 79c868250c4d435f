import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

/** A database's schema as pg_dump writes it. */
export async function schemaDump(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // The one that belongs to the server is beside it.
    const { rows } = await client.query<{ bin: string }>(
      `SELECT setting AS bin FROM pg_config WHERE name = 'BINDIR'`,
    );
    const { stdout } = await run(join(rows[0]?.bin ?? '', 'pg_dump'), ['--schema-only', url]);
    // Newer ones write a random word into each dump.
    return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '');
  } finally {
    await client.end();
  }
}
