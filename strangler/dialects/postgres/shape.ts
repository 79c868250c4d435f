import { MADE, RULES } from '../../check/schema-shape.ts';
import type { SchemaShape } from '../../check/schema-shape.ts';
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
