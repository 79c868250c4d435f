/** Part of `scripts/prepare.js`: sees to it that there is a Redis before anything needs it. */
import { RedisMissing, findRedis } from '../supervisor/index.ts';
import { prepare } from './prepare.ts';

await prepare('REDIS_URL', RedisMissing, (log) => findRedis({ log }));
