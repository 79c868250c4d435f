import { completed, MADE, RULES } from '../../schema-shape.ts';
import type { SchemaShape } from '../../schema-shape.ts';
import type { PostgresClient } from './connection.ts';
import type { Schemas } from './schema.ts';

/** Tables as far as a change of them matters. */
export function shapeOf(schemas: Schemas): SchemaShape {
  return Object.fromEntries(
    [...schemas].map(([table, { byName, rules, made }]) => [
      table,
      {
        ...Object.fromEntries(
          [...byName.values()].map(({ name, declared, nullable }) => [
            name,
            nullable ? declared : `${declared} NOT NULL`,
          ]),
        ),
        [RULES]: JSON.stringify(rules),
        [MADE]: JSON.stringify(made),
      },
    ]),
  );
}

/** The shape that was installed on; undefined before the installation. */
export async function installedShape(
  client: PostgresClient,
  capability: string,
): Promise<SchemaShape | undefined> {
  const { rows } = await client.query<{ shape: string }>(
    'SELECT shape FROM fig_shape WHERE capability = $1',
    [capability],
  );
  return rows[0] && (JSON.parse(rows[0].shape) as SchemaShape);
}

/** Adds what an earlier version did not keep. */
export async function completeShape(
  client: PostgresClient,
  capability: string,
  schemas: Schemas,
): Promise<void> {
  const before = await installedShape(client, capability);
  if (before === undefined) return;
  const whole = JSON.stringify(completed(before, shapeOf(schemas)));
  if (whole === JSON.stringify(before)) return;
  await client.query('UPDATE fig_shape SET shape = $2 WHERE capability = $1', [capability, whole]);
}

export async function saveShape(
  client: PostgresClient,
  capability: string,
  schemas: Schemas,
): Promise<void> {
  await client.query(
    `INSERT INTO fig_shape (capability, shape) VALUES ($1, $2)
       ON CONFLICT (capability) DO UPDATE SET shape = excluded.shape`,
    [capability, JSON.stringify(shapeOf(schemas))],
  );
}
