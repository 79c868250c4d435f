import { z } from 'zod';
import { boundedTexts, ConfigurationError, schemaIssues } from '../chassis/index.ts';
import type { ServerSettings } from '../chassis/index.ts';
import { danglingNames } from './config-names.ts';
import { gateway } from './gateway/index.ts';
import { method, path } from './path-pattern.ts';

const name = z.string().regex(/^[a-z][a-z0-9_]*$/, 'give a lower-case name such as "inventory"');
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]+$/, 'give the name of a header')
  .toLowerCase();
const route = z.union(
  [
    path,
    z.strictObject({
      path,
      /** Only these methods of it, and HEAD with GET; all when left out. */
      methods: z.array(method).min(1).optional(),
      /** Paths that the pattern fits, and that are not meant. */
      except: z.array(path).default([]),
      /** Response headers that are compared on it, instead of those of the capability. */
      comparedHeaders: z.array(headerName).optional(),
    }),
  ],
  'give a path such as "/api/items/:id", or { path, methods, except, comparedHeaders }',
);
const upstream = z
  .url({ protocol: /^https?$/, error: 'give a URL such as "http://127.0.0.1:3000"' })
  .refine((url) => !/[?#@]/.test(url), 'leave out credentials, query and fragment');

/** One process of an upstream, as a server to be asked. */
export interface InstanceSettings extends ServerSettings {
  /** Which build it says it is; null where the process has not said it. */
  readonly version: string | null;
  readonly source: 'config' | 'registry' | 'dns';
}

/** The processes of an upstream that the configuration names. */
export function instancesOf(
  given: FigConfig['upstreams'][string],
): readonly [InstanceSettings, ...InstanceSettings[]] {
  const stated = { version: null, source: 'config' } as const;
  if (typeof given === 'string' || given.instances === undefined) {
    return [{ ...upstreamSettings(given), ...stated }];
  }
  const { ca, instances } = given;
  return instances.map((url): InstanceSettings => ({ url, ca, ...stated })) as [InstanceSettings];
}

/** An upstream as it is configured: in short only its URL. Paths of files are relative to the configuration's. */
export function upstreamSettings(given: string | ServerSettings): ServerSettings {
  return typeof given === 'string' ? { url: given } : given;
}

const network = z.union(
  [z.cidrv4(), z.cidrv6()],
  'give a network such as "10.1.0.0/16" or "fd00::/8"',
);
const DNS_EVERY_MS = 5_000;
const port = z.int().min(1).max(65_535);
const dnsName = {
  name: z.string().min(1),
  /** How often a name server is asked, in ms. */
  everyMs: z.int().min(100).default(DNS_EVERY_MS),
  /** Addresses of name servers, such as "10.0.0.53" or "127.0.0.1:8600"; those of the machine when left out. */
  servers: z.array(z.string().min(1)).min(1).optional(),
};
const dns = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['A', 'AAAA']), port, ...dnsName }),
  /** Its records name the ports. */
  z.strictObject({ type: z.literal('SRV'), ...dnsName }),
]);
export type DnsSettings = z.output<typeof dns>;

const server = z.union(
  [
    upstream,
    z
      .strictObject({
        url: upstream,
        socket: z.string().min(1).optional(),
        ca: z.string().min(1).optional(),
        /** URLs of several processes that do the same, and share one database; `url` names them together. */
        instances: z.array(upstream).min(1).optional(),
        /** Its processes are those that have registered in Redis, with addresses of these networks; `url` while none has. */
        registry: z.strictObject({ networks: z.array(network).min(1) }).optional(),
        /** Its processes are those that a name server lists, by HTTP; `url` while it lists none. */
        dns: dns.optional(),
      })
      .refine(
        ({ instances, registry, dns: byDns }) =>
          [instances, registry, byDns].filter((each) => each !== undefined).length <= 1,
        'give only one of instances, registry and dns',
      )
      .refine(({ url, dns: byDns }) => byDns === undefined || url.startsWith('http:'), {
        path: ['dns'],
        error:
          'processes that are found by dns are asked by HTTP: give a url that begins with http:',
      }),
  ],
  'give a URL such as "http://127.0.0.1:3000", or { url, socket, ca, instances, registry, dns }',
);

/** Headers that mean something to whoever passes requests on; no capability may give them another. */
const TAKEN =
  /^(host|connection|content-length|transfer-encoding|traceparent|via|idempotency-key|x-(fig|forwarded)-.*)$/;
const header = headerName.refine(
  (given) => !TAKEN.test(given),
  'this header has another meaning; give one of your own',
);

/** Headers for one hop, which the facade does not forward: the upstream would not see a customer named in one. */
const ONE_HOP =
  /^(te|trailer|upgrade|http2-settings|keep-alive|expect|forwarded|x-real-ip|proxy-(connection|authenticate|authorization))$/;
const namingHeader = header.refine(
  (given) => !ONE_HOP.test(given),
  'this header goes no further than here; give one of your own',
);

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const invariant = z.strictObject({
  /** Shown when the sides differ. */
  name: z.string().min(1),
  /** SQL that gives one row; the same row on both sides. */
  legacy: z.string().min(1),
  extracted: z.string().min(1),
});

/** The last step, `fig complete`: when it may be taken, and what is told then. */
const completion = z.strictObject({
  /** How long extracted has to have been the owner, in ms. */
  soakMs: z
    .int()
    .min(0)
    .default(7 * DAY_MS),
  /** For how long no client may have asked the legacy program, in ms. */
  quietMs: z.int().min(0).default(HOUR_MS),
  /** When the legacy routes are said to go; the end of the soak when left out. */
  sunset: z.union([z.iso.date(), z.iso.datetime()], 'give a date such as "2030-06-30"').optional(),
  /** Base URL that the legacy routes name as their successor; the extracted upstream when left out. */
  successor: upstream.optional(),
  /** Files and folders that nobody needs any more afterwards. */
  legacyCode: z.array(z.string()).default([]),
});

/** Whether single keys of a capability, such as customers, may move ahead of the rest. */
export type Cohorts =
  /** The request header that names the key. */
  | { readonly header: string }
  /** Why they may not: shown to whoever asks for it. */
  | { readonly off: string };

const cohorts = z
  .strictObject({ header: namingHeader.optional(), off: z.string().min(1).optional() })
  .refine(
    (given) => (given.header === undefined) !== (given.off === undefined),
    'give either the header that names the key, or off with the reason',
  )
  .transform((given): Cohorts =>
    given.header === undefined ? { off: given.off ?? '' } : { header: given.header },
  );

const capability = z.strictObject({
  /** Names in `upstreams`. */
  legacy: z.string(),
  extracted: z.string(),
  /** Paths that belong to the capability, such as `/api/inventory` and `/api/inventory/*`. */
  routes: z.array(route).min(1),
  /**
   * What becomes of its paths with an encoded slash or backslash: some servers decode it, and then
   * see another path. `pass` says that both sides take it as a part of a segment.
   */
  encodedSlashes: z.enum(['refuse', 'pass']).default('refuse'),
  /** Database URLs of both sides; absent where only requests are routed and no data is moved. */
  databases: z.strictObject({ legacy: z.string(), extracted: z.string() }).optional(),
  /** The capability's mapping (see `defineMapping`); needs `databases`. */
  mapping: z.unknown().optional(),
  /** Single keys ahead of the rest, by the `cohortKey` of the mapping; not possible when left out. */
  cohorts: cohorts.optional(),
  /** Totals that must be equal on both sides before ownership moves. */
  invariants: z.array(invariant).default([]),
  /**
   * Whether a handover needs a green comparison of the answers of what runs on both sides, as
   * `npm run contract` leaves one in `contractFile`.
   */
  contract: z.boolean().default(false),
  completion: completion.prefault({}),
  /** Response headers that have to be the same on both sides when reads are compared. */
  comparedHeaders: z.array(headerName).default(['content-type', 'location']),
  /** Response body paths that may differ between the sides, with the reason why; a header is `(name)`. */
  ignore: z.array(z.strictObject({ path: z.string(), reason: z.string() })).default([]),
});

/** What a configuration takes, before names are looked up. */
export const configSchema = z.strictObject({
  upstreams: z.record(z.string(), server),
  /** The upstream that gets whatever belongs to no capability. */
  monolith: z.string(),
  /**
   * Upstreams whose application makes an error of its own of a write that its database refuses: a
   * handover lets their writes finish before it closes their side.
   */
  drainFirst: z.array(z.string()).default([]),
  /**
   * Upstreams that carry out a write only once however often they get it with the same
   * Idempotency-Key. Only to these is a write without a key of its client sent again, under a key of
   * the facade's, when a connection breaks before it is answered.
   */
  honoursKeys: z.array(z.string()).default([]),
  /**
   * Upstreams that cut path parameters off, such as the `;v=1` of `/items;v=1`, before they look for
   * a route. Where the monolith does, the facade looks for a capability without them, too.
   */
  stripsParameters: z.array(z.string()).default([]),
  /**
   * Upstreams that list at `/dead-letters` what they have given up on: events that a subscriber can't
   * take, steps that fail for good.
   */
  deadLetters: z.array(z.string()).default([]),
  /** The header that names the customer: stickiness, and reading one's own writes. */
  stickyHeader: namingHeader.default('x-customer-id'),
  // Names are checked with those that refer to them: a wrong one must not hide what is wrong inside.
  capabilities: z.record(z.string(), capability),
  /**
   * Routes of upstreams that are no side of a capability, such as a service that was new from the start: requests are passed
   * on to them as to the monolith.
   */
  services: z.record(z.string(), z.array(path).min(1)).default({}),
  /** Writes to other routes that change a capability's data behind the facade's back. */
  touches: z
    .array(z.strictObject({ method, path, capabilities: z.array(name).min(1) }))
    .default([]),
  /**
   * Request headers that are not passed on: with these a client would ask an application for another
   * method or path than the one that was decided on.
   */
  droppedHeaders: z
    .array(header)
    .default([
      'x-http-method-override',
      'x-http-method',
      'x-method-override',
      'x-original-url',
      'x-rewrite-url',
      'x-original-host',
    ]),
  /** How many proxies of ours clients come through: so many entries of X-Forwarded-For are true. */
  trustedHops: z.int().min(0).max(10).default(0),
  /** Where the flags are when FIG_FLAGS_FILE does not say; beside the configuration's file. */
  flagsFile: z.string().min(1).optional(),
  /** Where the results of contract runs are; in the data folder when left out. */
  contractFile: z.string().min(1).optional(),
  /** Who sends this as `x-fig-token` is told by Server-Timing where the time went. */
  timingToken: z.string().min(16, 'give a secret of at least 16 characters').optional(),
  /** Who may come in, how much, and what happens while a service is ill; each pattern is off when left out. */
  gateway: gateway.prefault({}),
  limits: z
    .strictObject({
      /** Bodies up to so many bytes are kept, to be sent again; larger ones are streamed. */
      bodyBytes: z.int().positive().default(1_000_000),
      /** How long a write may be held while ownership moves, in ms: long enough for a killed engine. */
      holdMs: z.int().positive().default(10_000),
      /** How many writes of a capability may be held at once, and how many bytes in all. */
      heldWrites: z.int().positive().default(10_000),
      heldBytes: z.int().positive().default(64_000_000),
      /** How long the first byte of an answer, and then each further piece of it, may take, in ms. */
      requestMs: z.int().positive().default(30_000),
      /** How long one try at an upstream may take to begin its answer, in ms; absent: `requestMs`. */
      attemptMs: z.int().positive().optional(),
      /** How long the head of a request may take to arrive, in ms; changed by a restart only. */
      headersMs: z.int().min(100).default(10_000),
      /** How many requests may be under way at one upstream; more wait their turn. */
      connections: z.int().positive().default(1_024),
      /** How many of these one client's address may have; three quarters when left out. */
      clientConnections: z.int().positive().optional(),
      /** How many requests may wait for their turn at one upstream; more are refused. */
      waiting: z.int().positive().default(10_000),
      /**
       * How many connections may be upgraded to WebSockets at once; and how many event streams that are
       * silent may be open at one upstream beside `connections`.
       */
      upgrades: z.int().positive().default(10_000),
      /** How many of these one client's address may have; three quarters when left out. */
      clientUpgrades: z.int().positive().optional(),
      /**
       * How many connections of one client's address may be open, idle or not; 10,000 when left out, and
       * without end behind `trustedHops`.
       */
      clientSockets: z.int().positive().optional(),
    })
    .refine(({ heldBytes, bodyBytes }) => heldBytes >= bodyBytes, {
      path: ['heldBytes'],
      error: 'give at least as many as bodyBytes, or a large write could never be held',
    })
    .prefault({}),
});

export type FigConfig = z.output<typeof configSchema>;
export type FigConfigInput = z.input<typeof configSchema>;
export type CapabilityConfig = z.output<typeof capability>;

/**
 * Checks a configuration and fills in its defaults.
 * @throws ConfigurationError that lists everything that is wrong, not only the first thing
 */
export function defineConfig(input: FigConfigInput): FigConfig {
  const result = configSchema.safeParse(input);
  const malformed = result.success
    ? []
    : schemaIssues(result.error).map(
        ({ path: at, message }) => `${at.join('.') || 'it'}: ${message}`,
      );
  const problems = boundedTexts([...malformed, ...danglingNames(input)]);
  if (!result.success || problems.length > 0) {
    throw new ConfigurationError(`the configuration can't be used:\n  ${problems.join('\n  ')}`);
  }
  return result.data;
}
