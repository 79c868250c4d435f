import type { Dialect, Reads, Tx } from './dialect.ts';

const KEPT = 10;

/**
 * Keeps the report of a comparison, and a few before it.
 * @param finishedAt ms since 1970
 */
export async function saveReport(
  tx: Tx,
  { stored }: Dialect,
  capability: string,
  report: object,
  finishedAt: number,
): Promise<void> {
  await tx.run('INSERT INTO fig_reconcile (capability, finished_at, report) VALUES ($1, $2, $3)', [
    capability,
    finishedAt,
    stored(JSON.stringify(report)),
  ]);
  await tx.run(
    `DELETE FROM fig_reconcile WHERE capability = $1 AND id NOT IN
       (SELECT id FROM fig_reconcile WHERE capability = $1 ORDER BY id DESC LIMIT $2)`,
    [capability, KEPT],
  );
}

/** The newest report; undefined before the first. */
export async function lastReport(tx: Reads, capability: string): Promise<unknown> {
  const newest = await tx.get<{ report: string }>(
    'SELECT report FROM fig_reconcile WHERE capability = $1 ORDER BY id DESC LIMIT 1',
    [capability],
  );
  return newest && (JSON.parse(newest.report) as unknown);
}
