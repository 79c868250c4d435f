import { completed } from '../check/schema-shape.ts';
import type { SchemaShape } from '../check/schema-shape.ts';
import type { Reads, Tx } from './dialect.ts';

/** The shape of the tables that a capability was installed on; undefined before the installation. */
export async function readShape(tx: Reads, capability: string): Promise<SchemaShape | undefined> {
  const sql = 'SELECT shape FROM fig_shape WHERE capability = $1';
  const found = await tx.get<{ shape: string }>(sql, [capability]);
  return found && (JSON.parse(found.shape) as SchemaShape);
}

export async function saveShape(tx: Tx, capability: string, shape: SchemaShape): Promise<void> {
  await tx.run(
    `INSERT INTO fig_shape (capability, shape) VALUES ($1, $2)
       ON CONFLICT (capability) DO UPDATE SET shape = excluded.shape`,
    [capability, JSON.stringify(shape)],
  );
}

/**
 * Adds to a shape what an earlier version did not keep.
 * @param now the shape of the tables as they are
 * @returns whether there was such a shape
 */
export async function completeShape(
  tx: Tx,
  capability: string,
  now: SchemaShape,
): Promise<boolean> {
  const before = await readShape(tx, capability);
  if (before === undefined) return false;
  const whole = completed(before, now);
  if (JSON.stringify(whole) === JSON.stringify(before)) return false;
  await saveShape(tx, capability, whole);
  return true;
}
