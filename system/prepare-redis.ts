/** Part of `scripts/prepare.js`: sees to it that there is a Redis before anything needs it. */
import { prepare } from './prepare.ts';
import { findRedis, RedisMissing } from './redis-find.ts';

await prepare('REDIS_URL', RedisMissing, (log) => findRedis({ log }));
