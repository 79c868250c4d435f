import type { Lease, LeaseView } from './store.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';

/**
 * Takes a capability's lease, or keeps it; null where another holder's has not run out. The token grows
 * with each holder.
 */
export async function acquireLease(
  tx: Tx,
  { now }: Dialect,
  capability: string,
  holder: string,
  ttlMs: number,
): Promise<Lease | null> {
  const given = await tx.get<{ token: number }>(
    `INSERT INTO fig_lease AS known (capability, holder, token, expires_at)
       VALUES ($1, $2, 1, ${now} + CAST($3 AS BIGINT))
     ON CONFLICT (capability) DO UPDATE SET holder = excluded.holder,
       token = CASE WHEN known.expires_at > ${now} THEN known.token ELSE known.token + 1 END,
       expires_at = excluded.expires_at
       WHERE known.holder = excluded.holder OR known.expires_at <= ${now}
     RETURNING token`,
    [capability, holder, Math.ceil(ttlMs)],
  );
  return given ? { capability, holder, token: given.token } : null;
}

/** @returns whether the lease had not run out, and is this one */
export async function renewLease(
  tx: Tx,
  { now }: Dialect,
  { capability, token }: Lease,
  ttlMs: number,
): Promise<boolean> {
  const renewed = await tx.run(
    `UPDATE fig_lease SET expires_at = ${now} + CAST($3 AS BIGINT)
       WHERE capability = $1 AND token = $2 AND expires_at > ${now}`,
    [capability, token, Math.ceil(ttlMs)],
  );
  return renewed === 1;
}

export async function releaseLease(tx: Tx, { capability, token }: Lease): Promise<void> {
  await tx.run('UPDATE fig_lease SET expires_at = 0 WHERE capability = $1 AND token = $2', [
    capability,
    token,
  ]);
}

/** The newest lease; null before the first. */
export async function readLease(tx: Reads, capability: string): Promise<LeaseView | null> {
  const sql = 'SELECT holder, expires_at AS "expiresAt" FROM fig_lease WHERE capability = $1';
  return (await tx.get<LeaseView>(sql, [capability])) ?? null;
}

/**
 * Whether no other engine has taken the lease since: one that has run out is still good while nobody wants
 * it, and nobody gets it before this transaction ends.
 */
export async function isHeld(
  tx: Reads,
  { forShare }: Dialect,
  { capability, token }: Lease,
): Promise<boolean> {
  const sql = `SELECT token FROM fig_lease WHERE capability = $1 ${forShare}`;
  return (await tx.get<{ token: number }>(sql, [capability]))?.token === token;
}
