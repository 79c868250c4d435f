import { z } from 'zod';
import { path } from '../path-pattern.ts';

const HOUR_MS = 3_600_000;

/** Paths whose answers are given again for a moment. */
const route = z.strictObject({
  path,
  /** For how long an answer is given again, in ms; an upstream may say less by Cache-Control, not more. */
  ttlMs: z.int().min(1).max(HOUR_MS).default(1_000),
  /** For how much longer, where the upstream does not answer or answers 5xx; 0: not at all. */
  staleIfErrorMs: z
    .int()
    .min(0)
    .max(24 * HOUR_MS)
    .default(0),
});

/** Gives answers of GET again, without asking the upstream. The first route that fits a request counts. */
export const cache = z.strictObject({
  /** Of all answers that are kept, in each process. */
  maxBytes: z.int().min(10_000).default(32_000_000),
  /** A larger answer is not kept. */
  entryBytes: z.int().min(1).default(1_000_000),
  routes: z.array(route).min(1),
});

export type CacheConfig = z.output<typeof cache>;
export type CachedRoute = z.output<typeof route>;
