import { join } from 'node:path';
import { findCommand } from './command.ts';
import { findProgram, howToGet } from './find-program.ts';
import type { Program, Progress } from './program.ts';
import { projectRoot } from './project.ts';

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
export function findRedis({
  log,
  path = process.env['PATH'] ?? '',
  cacheDir = join(projectRoot, '.cache', 'redis'),
}: FindOptions): Promise<Program> {
  return findProgram({
    name: 'Redis',
    installed: findCommand('redis-server', path) ?? findCommand('valkey-server', path),
    packages: ['redis-server', 'redis-tools'],
    libraries: /^(lib|lua)/,
    find: (root) => join(root, 'usr', 'bin', 'redis-server'),
    missing: (reason) => new RedisMissing(howToGet(HOW_TO_GET_REDIS, reason)),
    path,
    cacheDir,
    log,
  });
}

const HOW_TO_GET_REDIS = [
  'Fig needs Redis (or Valkey) and found none. Any one of these will do:',
  '  macOS           brew install redis',
  '  Debian, Ubuntu  sudo apt-get install redis-server',
  '  Docker          docker run --rm -p 127.0.0.1:6379:6379 redis:7',
  '                  and REDIS_URL=redis://127.0.0.1:6379 npm start',
];
