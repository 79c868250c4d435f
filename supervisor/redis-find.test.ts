import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLog } from '../chassis/index.ts';
import { withTempDir } from '../tests/support/index.ts';
import { CommandFailed, run } from './command.ts';
import { findRedis, RedisMissing } from './redis-find.ts';

const log = createLog('test', 'silent');

/** A folder of programs, each a shell script, to be used as a PATH. */
function programs(folder: string, scripts: Readonly<Record<string, string>>): string {
  const path = join(folder, 'bin');
  mkdirSync(path);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  return path;
}

/**
 * Stands in for a Debian whose package lists are empty until they are fetched into a folder of
 * one's own: `download` writes a package that depends on a library, and `dpkg -x` unpacks it.
 */
const debian = {
  'apt-get': `
    lists=
    for word in "$@"; do case "$word" in Dir::State::lists=*) lists="\${word#*=}";; esac; done
    for word in "$@"; do
      case "$word" in
        update) touch "$lists/fetched"; exit 0;;
        redis-*|lib*) [ -e "$lists/fetched" ] || exit 100; touch "$word.deb";;
      esac
    done`,
  dpkg: `
    case "$1" in
      --status) exit 1;;
      -f) case "$2" in */redis-server.deb) echo "redis-tools, libneeded1 (>= 2), adduser";; esac;;
      -x) mkdir -p "$3/usr/bin" "$3/unpacked"
          touch "$3/unpacked/$(basename "$2")"
          printf '#!/bin/sh\\ntest -n "$LD_LIBRARY_PATH"\\n' > "$3/usr/bin/redis-server"
          chmod +x "$3/usr/bin/redis-server";;
    esac`,
};

describe('findRedis', () => {
  it('takes the one that is installed', () =>
    withTempDir(async (folder) => {
      const path = programs(folder, { 'valkey-server': 'exit 0', ...debian });
      const found = await findRedis({ log, path, cacheDir: join(folder, 'cache') });
      expect(found).toEqual({ path: join(path, 'valkey-server'), env: {} });
    }));

  it('fetches packages and the libraries they need, into the folder it is given', () =>
    withTempDir(async (folder) => {
      const path = programs(folder, debian);
      const cacheDir = join(folder, 'cache');
      const found = await findRedis({ log, path, cacheDir });
      await expect(run(found.path, [], { env: found.env })).resolves.toBe('');
      await expect(run(found.path, [], { env: {} })).rejects.toThrow(CommandFailed);
      const [system = ''] = readdirSync(cacheDir);
      expect(readdirSync(join(cacheDir, system, 'unpacked'))).toEqual([
        'libneeded1.deb',
        'redis-server.deb',
        'redis-tools.deb',
      ]);
    }));

  it('may be asked by several at once, and leaves one copy and nothing else', () =>
    withTempDir(async (folder) => {
      const path = programs(folder, debian);
      const cacheDir = join(folder, 'cache');
      const ask = (): Promise<unknown> => findRedis({ log, path, cacheDir });
      const found = await Promise.all([ask(), ask(), ask(), ask()]);
      expect(new Set(found.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(readdirSync(cacheDir)).toHaveLength(1);
    }));

  it('fetches again when what it had does not run any more', () =>
    withTempDir(async (folder) => {
      const path = programs(folder, debian);
      const cacheDir = join(folder, 'cache');
      const first = await findRedis({ log, path, cacheDir });
      writeFileSync(first.path, '#!/bin/sh\nexit 127\n');
      const second = await findRedis({ log, path, cacheDir });
      await expect(run(second.path, [], { env: second.env })).resolves.toBe('');
    }));

  it('says how to get one where there is neither Redis nor apt-get', () =>
    withTempDir(async (folder) => {
      const found = findRedis({ log, path: folder, cacheDir: join(folder, 'cache') });
      await expect(found).rejects.toThrow(RedisMissing);
      await expect(found).rejects.toThrow('brew install redis');
    }));

  it('says why fetching failed', () =>
    withTempDir(async (folder) => {
      const path = programs(folder, { ...debian, 'apt-get': 'echo "E: no network" >&2; exit 100' });
      const found = findRedis({ log, path, cacheDir: join(folder, 'cache') });
      await expect(found).rejects.toThrow(/Fetching it failed.*E: no network/s);
    }));
});
