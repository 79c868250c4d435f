/** What outlives the migration: everything a service of ours needs, and nothing about a domain. */
export * from './cursor.ts';
export * from './database.ts';
export * from './env.ts';
export * from './fence.ts';
export * from './hash.ts';
export * from './http-app.ts';
export * from './http-client.ts';
export * from './http-server.ts';
export * from './idempotency.ts';
export * from './keyed-effect.ts';
export * from './log.ts';
export * from './method-not-allowed.ts';
export * from './owner-transaction.ts';
export * from './problem.ts';
export * from './process.ts';
export * from './trace.ts';
