import type { SideName } from '../../../routing/side.ts';
import { refuseUnlessTarget, STANDING_SQL } from '../../ledger/index.ts';
import type { Standing } from '../../ledger/index.ts';
import type { SqliteConnection } from './connection.ts';
import { bound } from './ledger.ts';
import type { SqliteTarget } from './target.ts';
import { APPLYING } from './triggers.ts';

/**
 * Runs `work` as the target, in the caller's transaction, under the fence row's lock.
 * @throws NotTargetError unless the fence is not open and at `epoch`
 */
export function applyAtOnce<T>(
  connection: SqliteConnection,
  capability: string,
  epoch: number,
  target: SqliteTarget,
  work: (target: SqliteTarget) => T,
): T {
  begin(connection, capability, epoch, target.side);
  const result = work(target.begin());
  end(connection);
  return result;
}

/** The same for work that waits for promises that are settled already. */
export async function applyAsTarget<T>(
  connection: SqliteConnection,
  capability: string,
  epoch: number,
  target: SqliteTarget,
  work: (target: SqliteTarget) => Promise<T>,
): Promise<T> {
  begin(connection, capability, epoch, target.side);
  const result = await work(target.begin());
  end(connection);
  return result;
}

function begin(
  connection: SqliteConnection,
  capability: string,
  epoch: number,
  side: SideName,
): void {
  const standing = connection.write(STANDING_SQL).get(bound([capability]));
  refuseUnlessTarget(standing as Standing | undefined, { capability, side, epoch });
  connection.write(`UPDATE main.fig_clock SET applying = ${APPLYING} WHERE id = 1`).run();
}

function end(connection: SqliteConnection): void {
  connection.write('UPDATE main.fig_clock SET applying = 0 WHERE id = 1').run();
}
