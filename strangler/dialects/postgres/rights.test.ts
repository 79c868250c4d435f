import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../../chassis/index.ts';
import { checkCapability } from '../../check/index.ts';
import { Replication } from '../../replication/replication.ts';
import { openInspectors, openSides } from '../../sides/sides.ts';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import { withMoving } from '../../../tests/strangler/support/moving.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';
import { PostgresConnection } from './connection.ts';
import { PostgresInspector } from './inspector.ts';
import { install } from './install.ts';
import { uninstall } from './uninstall.ts';
import { newRole, urlAs } from '../../../tests/strangler/support/roles.ts';

const words = oneTable({ capability: 'words', table: 'word', columns: ['v'] });
const twoWords = oneTable({ capability: 'words', table: 'word', columns: ['v', 'w'] });

describe('rights on PostgreSQL', () => {
  it('names each missing right, and nothing is installed on either side before', () =>
    withMoving(
      {
        mapping: words,
        legacy: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v TEXT)'],
        extracted: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v TEXT)'],
      },
      async ({ urls, sessions }) => {
        const user = `fig_test_stranger_${process.pid}`;
        const owner = `fig_test_business_${process.pid}`;
        await sessions.legacy.run(`${newRole(user)}; CREATE ROLE ${owner};
          GRANT CREATE, USAGE ON SCHEMA public TO ${owner}; ALTER TABLE word OWNER TO ${owner}`);
        const as = urlAs(urls.legacy, user);
        const databases = openSides(words, { ...urls, legacy: as });
        const replication = new Replication({
          mapping: words,
          databases,
          log: createLog('test', 'silent'),
        });
        try {
          await expect(replication.install()).rejects.toThrow(
            new RegExp(
              `missing_right: legacy schema public: .+; GRANT CREATE, USAGE ON SCHEMA public TO ${user}\\n` +
                ` +missing_right: legacy table word: .+; GRANT ${owner} TO ${user}$`,
            ),
          );
          const ours = `SELECT FROM pg_class WHERE relname LIKE 'fig%'`;
          expect(await sessions.legacy.rows(ours)).toEqual([]);
          expect(await sessions.extracted.rows(ours)).toEqual([]);
          const inspectors = await openInspectors(words, { ...urls, legacy: as });
          const report = await checkCapability({ mapping: words, inspectors, measure: true });
          expect(report.findings.map(({ code }) => code)).toEqual([
            'missing_right',
            'missing_right',
          ]);
          await inspectors.legacy.close();
          await inspectors.extracted.close();
          await sessions.legacy.run(`GRANT CREATE, USAGE ON SCHEMA public TO ${user};
            GRANT ${owner} TO ${user}`);
          await replication.install();
        } finally {
          await replication.stop();
          await sessions.legacy.run(
            `DROP OWNED BY ${user}, ${owner} CASCADE; DROP ROLE ${user}, ${owner}`,
          );
        }
      },
    ));

  it('says which right it takes to ask the server, and goes on with what needs none', () =>
    withMoving(
      {
        mapping: twoWords,
        legacy: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v INTERVAL, w TEXT)'],
        extracted: ['postgres', 'CREATE TABLE word (k INT PRIMARY KEY, v INTERVAL, w INT)'],
      },
      async ({ urls, sessions }) => {
        const database = new URL(urls.legacy).pathname.slice(1);
        await sessions.legacy.run(`REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC`);
        const user = `fig_test_asker_${process.pid}`;
        await sessions.legacy.run(`${newRole(user)};
          GRANT CREATE, USAGE ON SCHEMA public TO ${user}; ALTER TABLE word OWNER TO ${user}`);
        const as = urlAs(urls.legacy, user);
        const inspectors = await openInspectors(twoWords, { ...urls, legacy: as });
        try {
          const { findings } = await checkCapability({
            mapping: twoWords,
            inspectors,
            measure: true,
          });
          expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual(
            expect.arrayContaining([
              expect.stringContaining(
                `not_tried: legacy word.v: could not be tried: asking the server what the column makes of values takes a function of the session's own; GRANT TEMPORARY ON DATABASE ${database} TO ${user}`,
              ),
              expect.stringContaining('does_not_fit: legacy word.w: word.w does not take'),
            ]),
          );
        } finally {
          await inspectors.legacy.close();
          await inspectors.extracted.close();
          await sessions.legacy.run(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user}`);
        }
      },
    ));

  it('names the grants with which a user who owns nothing can install, and take out again', () =>
    withSidesOf('postgres', async ({ urls, legacy }) => {
      const [user, owner] = [`fig_test_engine_${process.pid}`, `fig_test_owner_${process.pid}`];
      await legacy.run(`${newRole(user)};
        CREATE ROLE ${owner}; GRANT USAGE ON SCHEMA public TO ${owner};
        ALTER TABLE "STOCK" OWNER TO ${owner}; ALTER TABLE "PAY" OWNER TO ${owner};
        ALTER TABLE "LINES" OWNER TO ${owner}; ALTER TABLE "RFND" OWNER TO ${owner}`);
      const url = urlAs(urls.legacy, user);
      const inspector = await PostgresInspector.open(url, shop, 'legacy');
      const connection = new PostgresConnection(url);
      await expect(install(connection, shop, 'legacy')).rejects.toThrow(
        /must be owner|permission denied/,
      );
      for (const grant of inspector.grants()) await legacy.run(grant);
      await install(connection, shop, 'legacy');
      await legacy.run(`INSERT INTO "STOCK" VALUES ('a', 1, 0, NULL)`);
      expect(await legacy.rows('SELECT FROM fig_capture_shop')).toHaveLength(1);
      await uninstall(connection, 'shop');
      expect(await legacy.rows(`SELECT FROM pg_class WHERE relname LIKE 'fig%'`)).toEqual([]);
      await connection.close();
      await inspector.close();
      await legacy.run(`DROP OWNED BY ${user}, ${owner} CASCADE; DROP ROLE ${user}, ${owner}`);
    }));
});
