import { z } from 'zod';
import { configSchema } from './config.ts';

type Json = Readonly<Record<string, unknown>>;

/** A variable in a string of a file of data: `${NAME}` or `${NAME:-default}`. */
const VARIABLE = { type: 'string', pattern: '\\$\\{\\w+(:-[^}]*)?\\}' } as const;
/** What keeps some strings out that would become right ones once their variables are put in. */
const NARROWER = ['format', 'pattern', 'enum', 'const', 'minLength'];

/**
 * The JSON schema of a configuration in JSON or YAML, for editors to complete and check. What is code, such as a
 * mapping, is for configurations in TypeScript alone.
 */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-7',
  }) as Json;
  const { properties, ...rest } = withVariables(schema) as Json & { readonly properties: object };
  return { title: 'Fig', ...rest, properties: { $schema: { type: 'string' }, ...properties } };
}

function withVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withVariables);
  if (typeof value !== 'object' || value === null) return value;
  const schema = value as Json;
  if (schema['type'] === 'string' && NARROWER.some((name) => name in schema)) {
    const { default: fallback, description, ...strict } = schema;
    return {
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(description === undefined ? {} : { description }),
      anyOf: [strict, VARIABLE],
    };
  }
  // Names of properties are no strings with variables.
  const { propertyNames, ...others } = schema;
  return {
    ...Object.fromEntries(Object.entries(others).map(([key, each]) => [key, withVariables(each)])),
    ...(propertyNames === undefined ? {} : { propertyNames }),
  };
}
