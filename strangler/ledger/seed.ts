import { randomUUID } from 'node:crypto';
import type { Mapping } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import { refuseTwoUnfinished, UNFINISHED_SQL } from './unfinished-handovers.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';
import { checkVersion } from './version.ts';

/**
 * Refuses a database in which this build must not install anything.
 * @param url of the database, for the message
 * @throws ConfigurationError when a newer build has installed its own, or handovers are unfinished that an
 *   earlier build has to finish
 */
export async function refuseLedger(
  tx: Reads,
  dialect: Dialect,
  url: string,
  side: SideName,
): Promise<void> {
  await checkVersion(tx, dialect, url);
  if ((await tx.get(dialect.hasTable, ['fig_handover'])) === undefined) return;
  refuseTwoUnfinished(side, await tx.all<{ id: string; capability: string }>(UNFINISHED_SQL));
}

/**
 * Puts in the rows that a capability's installation begins with: legacy is the owner.
 * @returns whether it was not installed before, or with another mapping
 */
export async function seed(
  tx: Tx,
  { now }: Dialect,
  { capability, hash }: Mapping,
  side: SideName,
): Promise<{ readonly fresh: boolean }> {
  const owner = side === 'legacy';
  await tx.run(
    `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ($1, '*', $2, $3)
       ON CONFLICT DO NOTHING`,
    [capability, owner ? 'open' : 'closed', owner ? 1 : 0],
  );
  const known = await tx.get<{ hash: string }>(
    'SELECT mapping_hash AS hash FROM fig_install WHERE capability = $1',
    [capability],
  );
  if (known === undefined) {
    await tx.run(
      `INSERT INTO fig_install (capability, side, mapping_hash, incarnation, complete, at)
         VALUES ($1, $2, $3, $4, $5, ${now})`,
      [capability, side, hash, randomUUID(), owner],
    );
  } else if (known.hash !== hash) {
    // Another mapping may carry other columns: a copy made through the old one is worth nothing.
    await tx.run(
      `UPDATE fig_install SET mapping_hash = $1, at = ${now}, complete =
           (SELECT state = 'open' FROM fig_fence WHERE capability = $2 AND key = '*')
         WHERE capability = $2`,
      [hash, capability],
    );
    await tx.run('DELETE FROM fig_backfill WHERE capability = $1', [capability]);
  }
  return { fresh: known?.hash !== hash };
}
