/** Part of `scripts/prepare.js`: sees to it that there is a Redis before anything needs it. */
import { findRedis, RedisMissing } from './redis-find.ts';

const say = (text: string): void => console.error(`prepare: ${text}`);

try {
  if (!process.env['REDIS_URL']) {
    const info = (facts: object | string, message = ''): void =>
      say(typeof facts === 'string' ? facts : message);
    await findRedis({ log: { info } });
  }
} catch (error) {
  if (!(error instanceof RedisMissing)) throw error;
  say(error.message);
  process.exitCode = 1;
}
