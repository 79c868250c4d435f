import { z } from 'zod';
import { method, path } from '../path-pattern.ts';

/** How many requests one client may send to the paths of one pattern. */
const limit = z.strictObject({
  /** Names the limit in headers, problems and metrics. */
  name: z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'give a lower-case name such as "checkout"'),
  path,
  /** All when left out; HEAD goes with GET. */
  methods: z.array(method).min(1).optional(),
  /** So many requests of one client in each window of so many seconds. */
  requests: z.int().positive(),
  seconds: z.int().positive().max(86_400),
});

/** The first limit that fits a request counts it; a request that none fits has no limit. */
export const limits = z
  .array(limit)
  .min(1)
  .refine(
    (given) => new Set(given.map(({ name }) => name)).size === given.length,
    'give each limit a name of its own',
  );

export type RateLimit = z.output<typeof limit>;
