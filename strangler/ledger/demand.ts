import type { Demand } from '../ownership/handover/gates.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';

/** The newest demand of a full comparison; null when there never was one. */
export async function readDemand(tx: Reads, capability: string): Promise<Demand | null> {
  const sql = 'SELECT reason, at FROM fig_demand WHERE capability = $1';
  return (await tx.get<Demand>(sql, [capability])) ?? null;
}

/**
 * Demands a full comparison, by the database's clock: the engine that compares may run on another machine.
 */
export async function demandReconcile(
  tx: Tx,
  { now }: Dialect,
  capability: string,
  reason: string,
): Promise<void> {
  await tx.run(
    `INSERT INTO fig_demand (capability, reason, at) VALUES ($1, $2, ${now})
       ON CONFLICT (capability) DO UPDATE SET reason = excluded.reason, at = excluded.at`,
    [capability, reason],
  );
}
