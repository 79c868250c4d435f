import { z } from 'zod';
import { configSchema } from '../../routing/index.ts';
import { lines } from './syntax.ts';

type Json = Readonly<Record<string, unknown>>;

/** Every key of a configuration, with what it takes and its default. */
export function configurationKeys(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return lines(keys('', schema, true));
}

function keys(path: string, schema: Json, required: boolean): readonly string[] {
  const { properties, items, additionalProperties } = schema as Readonly<
    Record<'properties' | 'items' | 'additionalProperties', Json | undefined>
  >;
  const wanted = (schema['required'] ?? []) as readonly string[];
  const own = path === '' ? [] : [`${path}${required ? '' : '?'}: ${taken(schema)}`];
  const below = (step: string): string => (path === '' ? step : `${path}.${step}`);
  return [
    ...own,
    ...Object.entries(properties ?? {}).flatMap(([name, each]) =>
      keys(below(name), each as Json, wanted.includes(name)),
    ),
    ...(isSchema(additionalProperties) ? keys(below('<name>'), additionalProperties, false) : []),
    ...(isSchema(items) ? keys(`${path}[]`, items, true) : []),
  ];
}

function isSchema(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** What a key takes, without what its own keys say. */
function taken(schema: Json): string {
  const {
    properties: _properties,
    items: _items,
    additionalProperties: _more,
    required: _required,
    propertyNames: _names,
    $schema: _schema,
    ...rest
  } = schema;
  const { type, ...limits } = rest;
  const told = Object.entries(limits)
    .filter(([name, value]) => name !== 'maximum' || value !== Number.MAX_SAFE_INTEGER)
    .map(([name, value]) => ` ${name}=${JSON.stringify(value, withoutFormats)}`);
  return `${typeof type === 'string' ? type : 'any'}${told.sort().join('')}`;
}

/** How a format is checked is the library's affair. */
function withoutFormats(this: unknown, key: string, value: unknown): unknown {
  return key === 'pattern' && isSchema(this) && 'format' in this ? undefined : value;
}
