import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sqliteFile } from '../../chassis/index.ts';
import { built } from '../../tests/support/index.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import type { Ran } from '../../tests/strangler/support/fig.ts';
import { postgresShopSchema } from '../../tests/strangler/support/postgres-shop.ts';
import { openDatabase } from '../../tests/strangler/support/sessions.ts';
import type { OpenDatabase } from '../../tests/strangler/support/sessions.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';
import { newRole, urlAs } from '../../tests/strangler/support/roles.ts';

const NOBODY = 'http://127.0.0.1:9';
const OURS = `SELECT FROM pg_class WHERE relname LIKE 'fig%'`;
/** Whom files may be closed to: root may write anywhere. */
const stranger = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** The shop whose legacy side is on PostgreSQL, and a user of that server who may nothing yet. */
function withStranger(
  use: (given: {
    readonly sides: Sides;
    readonly legacy: OpenDatabase;
    readonly user: string;
    readonly database: string;
  }) => Promise<void>,
): Promise<void> {
  return withSides(async (sides) => {
    const legacy = await openDatabase('postgres', postgresShopSchema.legacy);
    const user = `fig_test_rights_${process.pid}`;
    try {
      await legacy.run(newRole(user));
      const urls = { ...sides.urls, legacy: urlAs(legacy.url, user) };
      const database = decodeURIComponent(new URL(legacy.url).pathname.slice(1));
      await use({ sides: { ...sides, urls }, legacy, user, database });
      expect(await legacy.rows(OURS)).toEqual([]);
    } finally {
      await legacy.run(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}`);
      await legacy.drop();
    }
  });
}

/** Statements to copy, out of what a check says. */
const grantsIn = (text: string): readonly string[] =>
  [...text.matchAll(/GRANT [^\n;]+ TO \w+/g)].map(([statement]) => statement);

describe('fig check', () => {
  it('names what lets a user connect, and nothing is installed', () =>
    withStranger(async ({ sides, legacy, user, database }) => {
      await legacy.run(`REVOKE CONNECT ON DATABASE "${database}" FROM PUBLIC`);
      const fig = await figFor(sides, NOBODY);
      const { code, stdout } = await fig('check');
      expect([code, stdout]).toEqual([
        3,
        expect.stringMatching(
          new RegExp(
            `^shop {2}refused\\n {2}missing_right: legacy database .+: ${user} may not connect`,
          ),
        ),
      ]);
      const [grant = ''] = grantsIn(stdout);
      await legacy.run(grant);
      expect((await fig('check')).stdout).not.toContain('may not connect');
    }));

  it('names what lets a user look into the schema and install there, until nothing is missing', () =>
    withStranger(async ({ sides, legacy, user }) => {
      await legacy.run('REVOKE USAGE ON SCHEMA public FROM PUBLIC');
      const fig = await figFor(sides, NOBODY);
      const first = await fig('check');
      expect(first.code).toBe(3);
      expect(first.stdout).toMatch(
        `into which ${user} may not look: GRANT USAGE ON SCHEMA public TO ${user}`,
      );
      expect(first.stdout).not.toContain('search_path');
      expect(first.stdout).toMatch(/missing_right: legacy schema public: .+GRANT CREATE, USAGE/);
      expect(first.stdout).toMatch(/missing_right: legacy table STOCK: only .+ may add triggers/);
      for (const grant of new Set(grantsIn(first.stdout))) await legacy.run(grant);
      expect((await fig('check')).stdout).not.toContain('missing_right');
    }));

  it.each(['the file', 'the folder'])(
    'names what lets this user write to %s of a SQLite database, and nothing is installed',
    (what) =>
      withSides(async (sides) => {
        await figFor(sides, NOBODY);
        const file = sqliteFile(sides.urls.legacy);
        const folder = dirname(file);
        // As others find it: to be read, and the one or the other not to be written to.
        await chmod(folder, what === 'the file' ? 0o777 : 0o755);
        await chmod(file, what === 'the file' ? 0o644 : 0o666);
        await chmod(sqliteFile(sides.urls.extracted), 0o666);
        const { code, stdout } = await checkAsStranger(folder);
        expect([code, stdout]).toEqual([
          3,
          expect.stringMatching(
            what === 'the file'
              ? /missing_right: legacy file .+ may not read and write it; setfacl -m u:\w+:rw '.+'/
              : /missing_right: legacy folder .+ may not make files in it.+; setfacl -m u:\w+:rwx '.+'/,
          ),
        ]);
      }),
  );
});

function checkAsStranger(folder: string): Promise<Ran> {
  const main = built(new URL('main.ts', import.meta.url));
  const env = { PATH: process.env['PATH'], FIG_DATA_DIR: folder };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'check'], { env, ...stranger }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
