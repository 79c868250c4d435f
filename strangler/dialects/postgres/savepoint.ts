import type { PostgresClient } from './connection.ts';
import { isPoison } from './poison.ts';

/**
 * A constraint that is left to the end of the transaction would refuse all of it, with nobody to blame, and
 * again each time.
 */
export const CHECK_NOW = 'SET CONSTRAINTS ALL IMMEDIATE';

/**
 * Runs `work` under a savepoint, with constraints deferred until its end, and takes it back if it fails.
 * @returns the error of what was taken back; null when nothing was @throws what is no poison
 */
export async function orTakenBack(
  client: PostgresClient,
  work: () => Promise<void>,
): Promise<unknown> {
  await client.query('SAVEPOINT fig_some; SET CONSTRAINTS ALL DEFERRED');
  try {
    await work();
    await client.query(`${CHECK_NOW}; RELEASE fig_some`);
    return null;
  } catch (error) {
    if (!isPoison(error)) throw error;
    await client.query('ROLLBACK TO fig_some; RELEASE fig_some');
    return error;
  }
}
