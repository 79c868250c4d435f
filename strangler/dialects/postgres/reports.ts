import { toAscii } from '../../mapping/index.ts';
import type { PostgresConnection } from './connection.ts';

const KEPT = 10;

/** Keeps the report of a comparison, and a few before it. */
export async function saveReport(
  connection: PostgresConnection,
  capability: string,
  report: object,
  finishedAt: number,
): Promise<void> {
  await connection.transaction(async (client) => {
    await client.query(
      'INSERT INTO fig_reconcile (capability, finished_at, report) VALUES ($1, $2, $3)',
      [capability, finishedAt, toAscii(JSON.stringify(report))],
    );
    await client.query(
      `DELETE FROM fig_reconcile WHERE capability = $1 AND id NOT IN
         (SELECT id FROM fig_reconcile WHERE capability = $1 ORDER BY id DESC LIMIT $2)`,
      [capability, KEPT],
    );
  });
}

/** The newest report; undefined before the first. */
export async function lastReport(
  connection: PostgresConnection,
  capability: string,
): Promise<unknown> {
  const { rows } = await connection.query<{ report: string }>(
    'SELECT report FROM fig_reconcile WHERE capability = $1 ORDER BY id DESC LIMIT 1',
    [capability],
  );
  const [newest] = rows;
  return newest && (JSON.parse(newest.report) as unknown);
}
