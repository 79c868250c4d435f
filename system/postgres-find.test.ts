import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLog } from '../chassis/index.ts';
import { withTempDir } from '../tests/support/index.ts';
import { besidePostgres, findPostgres, PostgresMissing } from './postgres-find.ts';

const log = createLog('test', 'silent');

/** A folder of programs, each a shell script, to be used as a PATH. */
function programs(path: string, scripts: Readonly<Record<string, string>>): string {
  mkdirSync(path, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  return path;
}

const server = { postgres: 'exit 0', initdb: 'exit 0' };

/** Stands in for a Debian: a package that only names the version, one with the server, libraries. */
const debian = {
  'apt-get': `
    for word in "$@"; do
      case "$word" in postgresql*|lib*) touch "$word.deb";; esac
    done`,
  dpkg: `
    case "$1" in
      --status) exit 1;;
      -f) case "$2" in
            */postgresql.deb) echo "postgresql-15";;
            */postgresql-15.deb) echo "postgresql-client-15, postgresql-common, libicu72, libllvm14, locales | all";;
          esac;;
      -x) mkdir -p "$3/unpacked"; touch "$3/unpacked/$(basename "$2")"
          case "$2" in
            */postgresql-15.deb)
              mkdir -p "$3/usr/lib/postgresql/15/bin"
              for name in postgres initdb; do
                printf '#!/bin/sh\\ntest -n "$LD_LIBRARY_PATH"\\n' > "$3/usr/lib/postgresql/15/bin/$name"
                chmod +x "$3/usr/lib/postgresql/15/bin/$name"
              done;;
          esac;;
    esac`,
};

describe('findPostgres', () => {
  it('takes the one on the PATH, then the newest of those that Debian keeps apart', () =>
    withTempDir(async (folder) => {
      const path = programs(join(folder, 'bin'), server);
      const versions = join(folder, 'versions');
      for (const version of ['9', '15', '16']) programs(join(versions, version, 'bin'), server);
      // A client alone is no server.
      programs(join(versions, '17', 'bin'), { psql: 'exit 0' });
      const cacheDir = join(folder, 'cache');
      const onPath = await findPostgres({ log, path, versions, cacheDir });
      expect(onPath.path).toBe(join(path, 'postgres'));
      const apart = await findPostgres({ log, path: '', versions, cacheDir });
      expect(besidePostgres(apart, 'initdb').path).toBe(join(versions, '16', 'bin', 'initdb'));
    }));

  it('fetches the server and its libraries, and neither scripts nor compilers', () =>
    withTempDir(async (folder) => {
      const path = programs(join(folder, 'bin'), debian);
      const cacheDir = join(folder, 'cache');
      const search = { log, path, versions: join(folder, 'none'), cacheDir };
      const found = await findPostgres(search);
      expect(found.path).toMatch(/usr\/lib\/postgresql\/15\/bin\/postgres$/);
      const [system = ''] = readdirSync(cacheDir);
      expect(readdirSync(join(cacheDir, system, 'unpacked'))).toEqual([
        'libicu72.deb',
        'postgresql-15.deb',
        'postgresql-client-15.deb',
        'postgresql.deb',
      ]);
      expect(await findPostgres({ ...search, path: '' })).toEqual(found);
    }));

  it('says how to get one where there is neither PostgreSQL nor apt-get', () =>
    withTempDir(async (folder) => {
      const found = findPostgres({ log, path: '', versions: folder, cacheDir: join(folder, 'no') });
      await expect(found).rejects.toThrow(PostgresMissing);
      await expect(found).rejects.toThrow('FIG_TEST_POSTGRES_URL=');
    }));
});
