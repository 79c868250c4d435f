import { z } from 'zod';
import { auth } from './auth.ts';
import { cache } from './cache.ts';
import { compositions } from './compositions.ts';
import { limits } from './limits.ts';
import { openapi } from './openapi.ts';
import { resilience } from './resilience.ts';
import { versions } from './versions.ts';

export type { AuthConfig, AuthRule } from './auth.ts';
export type { CacheConfig, CachedRoute } from './cache.ts';
export { placesIn } from './compositions.ts';
export type { CompositionConfig } from './compositions.ts';
export type { RateLimit } from './limits.ts';
export type { OpenApiConfig } from './openapi.ts';
export { patternsOf } from './resilience.ts';
export type { BreakerConfig, RetryConfig, UpstreamPatterns } from './resilience.ts';
export type { TranslationConfig, VersionsConfig } from './versions.ts';

/** The patterns of the gateway, one setting each; a pattern without one is off and costs nothing. */
export const gateway = z.strictObject({
  auth: auth.optional(),
  cache: cache.optional(),
  compositions: compositions.default([]),
  limits: limits.optional(),
  openapi: openapi.optional(),
  resilience: resilience.optional(),
  versions: versions.optional(),
});
