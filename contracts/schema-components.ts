import { z } from 'zod';
import { schemas } from './registry.ts';

type Json = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';

/** Refers to a schema of the contract by its name. */
export function reference(schema: z.ZodType): Json {
  const id = schemas.get(schema)?.id;
  if (id === undefined) throw new Error('a schema of the contract has no name');
  return { $ref: COMPONENTS + id };
}

/** JSON Schema of the named schemas that `used` refers to, directly or by way of others. */
export function componentsOf(used: unknown): Json {
  const { schemas: converted } = z.toJSONSchema(schemas as z.core.$ZodRegistry<{ id?: string }>, {
    uri: (id) => COMPONENTS + id,
    io: 'input',
  });
  const wanted = new Set<string>();
  const want = (value: unknown): void => {
    for (const id of namesIn(value)) {
      if (wanted.has(id)) continue;
      wanted.add(id);
      want(converted[id]);
    }
  };
  want(used);
  return Object.fromEntries(
    Object.entries(converted)
      .filter(([id]) => wanted.has(id))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema]),
  );
}

function namesIn(value: unknown): readonly string[] {
  const found = JSON.stringify(value).matchAll(/"\$ref":"([^"]+)"/g);
  return [...found].map(([, target = '']) => target.slice(COMPONENTS.length));
}
