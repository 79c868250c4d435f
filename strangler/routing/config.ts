import { z } from 'zod';
import { ConfigurationError } from '../../chassis/index.ts';

const name = z.string().regex(/^[a-z][a-z0-9_]*$/, 'give a lower-case name such as "inventory"');
const method = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const path = z
  .string()
  .startsWith('/', 'give a path that starts with /')
  .describe('segments; `:name` stands for one segment, a last `*` for any number of them');

const capability = z.strictObject({
  /** Names in `upstreams`. */
  legacy: z.string(),
  extracted: z.string(),
  /** Paths that belong to the capability, such as `/api/inventory` and `/api/inventory/*`. */
  routes: z.array(path).min(1),
  /** Database URLs of both sides; absent where only requests are routed and no data is moved. */
  databases: z.strictObject({ legacy: z.string(), extracted: z.string() }).optional(),
  /** The capability's mapping (see `defineMapping`); needs `databases`. */
  mapping: z.unknown().optional(),
  /** Response body paths that may differ between the sides, with the reason why. */
  ignore: z.array(z.strictObject({ path: z.string(), reason: z.string() })).default([]),
});

const schema = z.strictObject({
  upstreams: z.record(z.string(), z.url()),
  /** The upstream that gets whatever belongs to no capability. */
  monolith: z.string(),
  /** The header that names the customer: stickiness, and reading one's own writes. */
  stickyHeader: z.string().toLowerCase().default('x-customer-id'),
  capabilities: z.record(name, capability),
  /** Writes to other routes that change a capability's data behind the facade's back. */
  touches: z
    .array(z.strictObject({ method, path, capabilities: z.array(name).min(1) }))
    .default([]),
  limits: z
    .strictObject({
      bodyBytes: z.int().positive().default(1_000_000),
      /** How long a write may be held while ownership moves, in ms. */
      holdMs: z.int().positive().default(5_000),
      heldWrites: z.int().positive().default(10_000),
      /** How long a request may take in all, in ms. */
      requestMs: z.int().positive().default(30_000),
    })
    .prefault({}),
});

export type FigConfig = z.output<typeof schema>;
export type FigConfigInput = z.input<typeof schema>;
export type CapabilityConfig = z.output<typeof capability>;

/**
 * Checks a configuration and fills in its defaults.
 * @throws ConfigurationError that lists everything that is wrong, not only the first thing
 */
export function defineConfig(input: FigConfigInput): FigConfig {
  const result = schema.safeParse(input);
  const problems = result.success
    ? danglingNames(result.data)
    : result.error.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`);
  if (!result.success || problems.length > 0) {
    throw new ConfigurationError(`the configuration can't be used:\n  ${problems.join('\n  ')}`);
  }
  return result.data;
}

function danglingNames(config: FigConfig): string[] {
  const known = Object.keys(config.upstreams).join(', ');
  const upstream = (field: string, value: string): string[] =>
    value in config.upstreams
      ? []
      : [`${field}: there is no upstream "${value}"; known are ${known}`];
  return [
    ...upstream('monolith', config.monolith),
    ...Object.entries(config.capabilities).flatMap(([key, { legacy, extracted, ...rest }]) => [
      ...upstream(`capabilities.${key}.legacy`, legacy),
      ...upstream(`capabilities.${key}.extracted`, extracted),
      ...(rest.mapping !== undefined && rest.databases === undefined
        ? [`capabilities.${key}.databases: a mapping needs the URLs of both databases`]
        : []),
    ]),
    ...config.touches.flatMap(({ capabilities }, index) =>
      capabilities
        .filter((key) => !(key in config.capabilities))
        .map((key) => `touches.${index}: there is no capability "${key}"`),
    ),
  ];
}
