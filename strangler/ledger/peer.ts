import type { PeerCheckpoint, PeerObservation } from './store.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';

interface PeerRow {
  readonly pulse: number;
  readonly incarnation: string;
  readonly otherPulse: number;
  readonly epoch: number;
}

/** What a database remembers of itself and of the other one. */
export async function readPeer(tx: Reads, capability: string): Promise<PeerObservation> {
  const row = await tx.get<PeerRow>(
    `SELECT pulse, other AS incarnation, other_pulse AS "otherPulse", other_epoch AS epoch
       FROM fig_peer WHERE capability = $1`,
    [capability],
  );
  if (row === undefined) return { pulse: 0, other: null };
  const { pulse, incarnation, otherPulse, epoch } = row;
  return { pulse, other: { incarnation, pulse: otherPulse, epoch } };
}

/**
 * Counts the own pulse up, and remembers the other database.
 * @param atLeast what the pulse has to exceed
 * @returns the pulse
 */
export async function savePeer(
  tx: Tx,
  { greatest }: Dialect,
  capability: string,
  { incarnation, pulse, epoch }: PeerCheckpoint,
  atLeast: number,
): Promise<number | null> {
  const saved = await tx.get<{ pulse: number }>(
    `INSERT INTO fig_peer AS known (capability, pulse, other, other_pulse, other_epoch)
       VALUES ($1, CAST($2 AS BIGINT) + 1, $3, $4, $5)
     ON CONFLICT (capability) DO UPDATE SET
       pulse = ${greatest}(known.pulse + 1, excluded.pulse), other = excluded.other,
       other_pulse = excluded.other_pulse, other_epoch = excluded.other_epoch
     RETURNING pulse`,
    [capability, atLeast, incarnation, pulse, epoch],
  );
  return saved?.pulse ?? null;
}
