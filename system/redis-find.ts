import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailed, findCommand } from './command.ts';
import { projectRoot } from './project.ts';
import { provisionWithApt, unpackedRedis } from './redis-apt.ts';
import type { Progress, RedisBinary } from './redis-binary.ts';

/** No Redis is to be had on this machine; the message says how to get one. */
export class RedisMissing extends Error {
  override readonly name = 'RedisMissing';
}

interface FindOptions {
  readonly log: Progress;
  /** Searched for `redis-server`, `valkey-server`, `apt-get` and `dpkg`. */
  readonly path?: string;
  /** Where a downloaded Redis is kept between runs. */
  readonly cacheDir?: string;
}

/**
 * A Redis of this machine: from the PATH, from an earlier download, or downloaded now from the
 * distribution's own packages, which needs no root and installs nothing.
 * @throws RedisMissing when none of these works
 */
export async function findRedis({
  log,
  path = process.env['PATH'] ?? '',
  cacheDir = join(projectRoot, '.cache', 'redis'),
}: FindOptions): Promise<RedisBinary> {
  const installed = findCommand('redis-server', path) ?? findCommand('valkey-server', path);
  if (installed !== undefined) return { path: installed, env: {} };
  const unpacked = await unpackedRedis(cacheDir);
  if (unpacked !== undefined) return unpacked;
  const aptGet = findCommand('apt-get', path);
  const dpkg = findCommand('dpkg', path);
  if (aptGet === undefined || dpkg === undefined) throw new RedisMissing(howToGetRedis());
  log.info(
    { cacheDir },
    'no Redis on this machine: fetching one with apt-get, for this folder only',
  );
  mkdirSync(cacheDir, { recursive: true });
  try {
    return await provisionWithApt({ cacheDir, aptGet, dpkg, log });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new RedisMissing(`${howToGetRedis()}\n\nFetching it failed: ${error.message}`);
  }
}

function howToGetRedis(): string {
  return [
    'Fig needs Redis (or Valkey) and found none. Any one of these will do:',
    '  macOS           brew install redis',
    '  Debian, Ubuntu  sudo apt-get install redis-server',
    '  Docker          docker run --rm -p 127.0.0.1:6379:6379 redis:7',
    '                  and REDIS_URL=redis://127.0.0.1:6379 npm start',
  ].join('\n');
}
