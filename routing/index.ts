/** What a facade may know of the engine: its configuration, its flags, and who owns what. */
export * from './config.ts';
export * from './contract-results.ts';
export * from './dead-letters.ts';
export * from './facade-registry.ts';
export * from './find-config.ts';
export { patternsOf, placesIn } from './gateway/index.ts';
export type {
  AuthConfig,
  AuthRule,
  BreakerConfig,
  CacheConfig,
  CachedRoute,
  CompositionConfig,
  OpenApiConfig,
  RateLimit,
  RetryConfig,
  TranslationConfig,
  UpstreamPatterns,
  VersionsConfig,
} from './gateway/index.ts';
export type { FlagContext } from './flag-context.ts';
export * from './flag-file.ts';
export * from './flag-rule.ts';
export * from './flag-store.ts';
export * from './flags.ts';
export * from './json-schema.ts';
export * from './legibility.ts';
export * from './load-config.ts';
export * from './open-flag-store.ts';
export * from './restart-settings.ts';
export * from './shares.ts';
export * from './state.ts';
export { FlagServerError } from './unleash-admin.ts';
export * from './watch-config.ts';
