// The service's half of a migration: who owns the data is a row of this database, read under a lock in the
// transaction of the write. A write that finds the fence not open has no effect and is answered 421.

export class Fenced extends Error {
  constructor(capability, { state, epoch }) {
    super(`${capability} is ${state} here at epoch ${epoch}; ask its owner`);
    this.body = {
      type: 'urn:fig:problem:fenced',
      title: 'fenced',
      status: 421,
      code: 'fenced',
      detail: this.message,
      capability,
      state,
      epoch,
    };
  }
}

/**
 * Runs a write in a transaction whose first statement reads the fence.
 * @param work gets the client of the transaction
 * @throws Fenced where this database does not own the capability; nothing has happened then
 */
export async function ownerTransaction(pool, capability, work) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await assertOpen(client, capability);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function assertOpen(client, capability) {
  // Before Fig is installed, this service owns nothing.
  const absent = { state: 'closed', epoch: 0 };
  const { rows: installed } = await client.query(
    `SELECT WHERE to_regprocedure('fig_fence_held(text)') IS NOT NULL`,
  );
  if (installed.length === 0) throw new Fenced(capability, absent);
  // Held until the transaction ends; the setting says to the audit of writes that this is the application.
  const { rows } = await client.query(
    `SELECT state, epoch, set_config('fig.door', $1, true) FROM fig_fence_held($1)`,
    [capability],
  );
  if (rows[0]?.state !== 'open') throw new Fenced(capability, rows[0]?.state ? rows[0] : absent);
}
