/**
 * What a service needs to say FENCED: the fence, read in the write's own transaction, the answer 421, and
 * `GET /fences`. It loads no driver and no framework: these are the service's own. docs/your-service.md
 * has the protocol for other languages.
 */
export { fencedAnswer, fencedMembers, fencesAnswer } from './answer.ts';
export type { FencesOptions, GuardAnswer, ReadFences } from './answer.ts';
export { betterSqlite3Fences, betterSqlite3Guard } from './better-sqlite3.ts';
export type { BetterSqlite3Guard } from './better-sqlite3.ts';
export { expressFenced, expressFences } from './express.ts';
export { fastifyGuard, sendFenced } from './fastify.ts';
export { FencedError, isFenceTrigger, REST } from './fence.ts';
export type { Fence, FenceState, GuardOptions, NamedFence } from './fence.ts';
export { knexFences, knexGuard } from './knex.ts';
export type { KnexGuard } from './knex.ts';
export { pgFences, pgGuard } from './pg.ts';
export type { PgGuard } from './pg.ts';
export { fenceIn } from './questions.ts';
