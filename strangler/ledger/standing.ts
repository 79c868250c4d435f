import type { Fence } from '../../chassis/index.ts';
import { NotTargetError } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';

/** How a side stands when a transaction as the target begins. */
export interface Standing extends Pick<Fence, 'state'> {
  /** The newest epoch of all its fences: where keys have fences of their own, it counts. */
  readonly newest: number;
  /** Whether keys have fences of their own: each row's key is then guarded. */
  readonly split: boolean | number;
}

/** SQL for a side's `Standing`; one place, the capability. */
export const STANDING_SQL = `SELECT state,
    (SELECT max(epoch) FROM fig_fence WHERE capability = $1) AS newest,
    EXISTS (SELECT 1 FROM fig_fence WHERE capability = $1 AND key <> '*') AS split
  FROM fig_fence WHERE capability = $1 AND key = '*'`;

/** @throws NotTargetError unless the side is a target at `epoch` */
export function refuseUnlessTarget(
  standing: Standing | undefined,
  { capability, side, epoch }: { capability: string; side: SideName; epoch: number },
): void {
  const { state, newest, split } = standing ?? { state: 'not installed', newest: 0, split: false };
  if (standing !== undefined && newest === epoch && (state !== 'open' || Boolean(split))) return;
  throw new NotTargetError(
    `${capability} (${side}) is ${state} at epoch ${newest}; ` +
      `changes were to be applied at epoch ${epoch}`,
  );
}
