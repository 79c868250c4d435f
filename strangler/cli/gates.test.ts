import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { ServerSettings } from '../../chassis/index.ts';
import { eventually, withTempDir } from '../../tests/support/index.ts';
import type { DataDeclaration, EngineDeps } from '../engine/index.ts';
import { saveContractRuns } from '../../routing/index.ts';
import { desk, deskSchema } from '../../tests/strangler/support/desk.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor, withFig } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Prompt, Sides } from '../../tests/strangler/support/sides.ts';

/** An engine for the shop with more to it than rows. */
function shopWith(
  more: (sides: Sides) => Partial<DataDeclaration>,
): (sides: Sides) => Partial<EngineDeps> {
  return (sides) => ({
    declarations: { shop: { urls: sides.urls, mapping: shop, ...more(sides) } },
  });
}

/** Everything that the other gates ask for. */
async function ready(fig: Fig): Promise<void> {
  expect(await fig('backfill shop')).toMatchObject({ code: 0 });
  expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
}

async function refused(
  fig: Fig,
  reason: RegExp,
  next: string,
  line = 'switch shop',
): Promise<void> {
  const { code, stderr } = await fig(line);
  expect(stderr).toMatch(reason);
  expect(stderr.split('\n').at(-2)).toBe(`next: ${next}`);
  expect(code).toBe(3);
}

/** A row that is changed past the feed. */
function changeUnseen(prompt: Prompt, sql: string): void {
  prompt.exec(`UPDATE fig_clock SET applying = 1; ${sql}; UPDATE fig_clock SET applying = 0`);
}

describe('a switch from an application that can not say FENCED', () => {
  it('is refused while no facade can be asked, as its dry run shows, and costs no epoch', () =>
    withFig(
      async (fig, _running, { legacy }) => {
        await ready(fig);
        const reason = /no facade has asked the engine in the last 3 s/;
        const { stdout } = await fig('switch shop --dry-run');
        expect(stdout).toMatch(/refused +drain +no facade has asked/);
        await refused(fig, reason, 'fig status');
        const fences = legacy.prepare('SELECT key, state, epoch FROM fig_fence').all();
        expect(fences).toEqual([{ key: '*', state: 'open', epoch: 1 }]);
      },
      shopWith(() => ({ drainFirst: ['legacy'] })),
    ));
});

describe('a switch is refused, and the command that is named mends it', () => {
  it('when a column was added, until the mapping carries it or it is gone', () =>
    withFig(async (fig, _running, { legacy }) => {
      await ready(fig);
      legacy.exec('ALTER TABLE STOCK ADD COLUMN COLOUR TEXT');
      await refused(fig, /STOCK has a new column COLOUR \(TEXT\)/, 'fig check shop --accept');
      expect(await fig('check shop --accept')).toMatchObject({
        code: 3,
        stdout: expect.stringContaining('no pair carries COLOUR'),
      });
      legacy.exec('ALTER TABLE STOCK DROP COLUMN COLOUR');
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it('when a table was built anew and nothing of it was captured for a while', () =>
    withFig(async (fig, _running, { legacy }) => {
      await ready(fig);
      legacy.exec(`
        CREATE TABLE anew (SKU TEXT PRIMARY KEY, QTY INTEGER NOT NULL CHECK (QTY >= 0),
          RSV INTEGER NOT NULL DEFAULT 0 CHECK (RSV <= QTY), NOTE VARCHAR(80));
        INSERT INTO anew SELECT * FROM STOCK;
        DROP TABLE STOCK;
        ALTER TABLE anew RENAME TO STOCK;
        UPDATE STOCK SET QTY = 50 WHERE SKU = 'a'`);
      await refused(
        fig,
        /column NOTE was TEXT and is VARCHAR\(80\); legacy table STOCK has lost 10 of Fig's triggers/,
        'fig check shop --accept',
      );
      const { stdout: told } = await fig('status');
      expect(told).toMatch(/gates +refused: schema[;,] /);
      expect(told).toMatch(/schema +.+; bring the mapping in line, then fig check shop --accept/);
      expect(await fig('check shop --accept')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/accepted as it is now\nnext: fig reconcile shop\n$/),
      });
      await refused(fig, /as a whole: the schema of legacy has changed/, 'fig reconcile shop');
      expect(await fig('reconcile shop --repair')).toMatchObject({ code: 0 });
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it('when a table was dropped by mistake, until it is there again and compared', () =>
    withFig(async (fig, _running, { legacy }) => {
      await ready(fig);
      const made = "SELECT sql FROM sqlite_master WHERE name = 'STOCK'";
      const { sql: table } = legacy.prepare(made).get() as { sql: string };
      legacy.exec('DROP TABLE STOCK');
      await refused(fig, /legacy table STOCK is gone/, 'fig check shop --accept');
      const gone = expect.stringContaining('legacy table STOCK: does not exist');
      expect(await fig('check shop --accept')).toMatchObject({ code: 3, stdout: gone });
      for (const line of ['reconcile shop', 'reconcile shop --repair', 'backfill shop --restart']) {
        await refused(fig, /legacy table STOCK: does not exist/, 'fig check shop', line);
      }
      expect(await fig('doctor shop --repair')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          /^shop {2}needs care\n[^]+ {2}schema_unfit: legacy table STOCK is gone[^]+STOCK: does not exist[^]+; make it, or start/,
        ),
        stderr: expect.stringContaining('next: fig check shop\n'),
      });

      legacy.exec(table);
      expect(await fig('doctor shop --repair')).toMatchObject({
        stdout: expect.stringMatching(/^mended {2}Fig's tables and triggers on legacy are back/),
        stderr: expect.stringContaining('next: fig reconcile shop\n'),
      });
      await refused(fig, /as a whole: tables or triggers on legacy/, 'fig reconcile shop');
      expect(await fig('reconcile shop')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^levels +0 rows {2}0 missing, 2 extra/),
      });
      await refused(
        fig,
        /4 rows of extracted would vanish.+--delete-rows 4/,
        'fig doctor shop',
        'reconcile shop --repair',
      );
      legacy.exec("INSERT INTO STOCK VALUES ('a', 5, 0, NULL), ('b', 7, 1, NULL)");
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it('when triggers had been taken away before an engine started', () =>
    withSides(async (sides) => {
      const run = (use: (fig: Fig) => Promise<void>): Promise<void> =>
        withEngine(sides, {}, async ({ status, url }) => {
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          await use(await figFor(sides, url));
        });
      await run(ready);
      sides.extracted.exec('DROP TRIGGER fig_shop_capture_update_levels');
      await run(async (fig) => {
        await refused(fig, /extracted had lost triggers of Fig/, 'fig reconcile shop');
        expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
        expect(await fig('switch shop')).toMatchObject({ code: 0 });
      });
    }));

  it('when a full comparison is demanded, as after a restored backup', () =>
    withFig(async (fig, { engine }) => {
      await ready(fig);
      const { opened } = engine.controllers.get('shop') ?? {};
      await opened?.sides.extracted.checks.demandReconcile('a backup was restored');
      await refused(fig, /compared as a whole: a backup was restored/, 'fig reconcile shop');
      expect(await fig('reconcile shop --sample 10')).toMatchObject({ code: 0 });
      await refused(fig, /a backup was restored/, 'fig reconcile shop');
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it.each([
    [
      'lag',
      { lagChanges: 100, lagMs: 60_000, holdMs: 60_000 },
      /3\d\d changes .* the limits are 100/,
    ],
    [
      'hold',
      { lagChanges: 1_000, lagMs: 60_000, holdMs: 60 },
      /for about 6\d ms; the budget is 60/,
    ],
  ])('when the %s would be too long', (_name, limits, reason) =>
    withFig(
      async (fig, running, { legacy, extracted }) => {
        await ready(fig);
        extracted.exec('BEGIN IMMEDIATE');
        const insert = legacy.prepare(`INSERT INTO STOCK (SKU, QTY) VALUES ('x' || ?, 1)`);
        legacy.transaction(() => {
          for (let row = 0; row < 300; row += 1) insert.run(row);
        })();
        await refused(fig, reason, 'fig status -w');
        extracted.exec('ROLLBACK');
        await eventually(async () => expect((await running.status()).lag?.changes).toBe(0));
        expect(await fig('switch shop')).toMatchObject({ code: 0 });
      },
      () => ({ gateLimits: { ...limits, reconcileAgeMs: 60_000 } }),
    ),
  );

  it('when applying has stopped, since the feed was cut', () =>
    withFig(async (fig, _running, { legacy, extracted }) => {
      await ready(fig);
      extracted.exec('BEGIN IMMEDIATE');
      legacy.exec(`UPDATE STOCK SET QTY = 9; UPDATE STOCK SET QTY = 10;
        DELETE FROM fig_feed_shop WHERE position < (SELECT max(position) FROM fig_feed_shop)`);
      extracted.exec('ROLLBACK');
      await eventually(() => refused(fig, /a new backfill is needed/, 'fig status'));
      expect((await fig('status')).stdout).toMatch(/broken +.*a new backfill is needed/);
      expect(await fig('backfill shop --restart')).toMatchObject({ code: 0 });
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it.each<[string, (folder: string) => Listens]>([
    ['a port', () => ({ listen: (server) => server.listen(0, '127.0.0.1'), at: urlOf })],
    ['a unix socket', (folder) => atSocket(join(folder, 'new.sock'))],
  ])('when what answers is not what was compared, at %s', (_where, where) =>
    withTempDir(async (folder) => {
      const versions = { old: '1', new: '1' };
      const listens = where(folder);
      const servers = {
        old: await versioned('mono', () => versions.old),
        new: await versioned('shop', () => versions.new, listens.listen),
      };
      try {
        await withFig(
          async (fig, _running, { legacy }) => {
            const file = join(dirname(legacy.name), 'contract.json');
            const run = (version: string, ok = true): Promise<void> =>
              saveContractRuns(file, {
                shop: {
                  ok,
                  at: Date.now(),
                  old: { name: 'mono', version: '1' },
                  new: { name: 'shop', version },
                },
              });
            await ready(fig);
            await refused(fig, /has never been compared/, 'npm run contract');
            await run('1', false);
            await eventually(() => refused(fig, /did not answer alike/, 'npm run contract'));
            await run('1');
            versions.new = '2';
            await eventually(() =>
              refused(fig, /of shop 1 were compared; what runs is shop 2/, 'npm run contract'),
            );
            await run('2');
            await eventually(async () =>
              expect(await fig('switch shop')).toMatchObject({ code: 0 }),
            );
          },
          shopWith(({ legacy }) => ({
            contract: {
              file: join(dirname(legacy.name), 'contract.json'),
              upstreams: { legacy: urlOf(servers.old), extracted: listens.at(servers.new) },
            },
          })),
        );
      } finally {
        servers.old.close();
        servers.new.close();
      }
    }),
  );

  it('when an id would be given out a second time', () =>
    withSides(async (sides) => {
      const declarations = { desk: { urls: sides.urls, mapping: desk } };
      // The highest is gone before anything is copied, and only the legacy side remembers it.
      sides.legacy.exec(`INSERT INTO TICKET (TXT) VALUES ('a'), ('b'), ('c');
        DELETE FROM TICKET WHERE ID = 3`);
      await withEngine(sides, { declarations }, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        const fig = await figFor(sides, url, 'desk');
        await fig('backfill desk');
        await fig('reconcile desk');
        sides.extracted.exec('UPDATE sqlite_sequence SET seq = 2');
        await refused(
          fig,
          /extracted would give out tickets.id 3 again: legacy is at 3/,
          'fig reconcile desk',
          'switch desk',
        );
        expect(await fig('reconcile desk')).toMatchObject({ code: 0 });
        expect(await fig('switch desk')).toMatchObject({ code: 0 });
        sides.extracted.exec(`INSERT INTO tickets (text) VALUES ('d')`);
        expect(sides.extracted.prepare('SELECT max(id) FROM tickets').pluck().get()).toBe(4);
      });
    }, deskSchema));

  it('when totals of the two sides differ', () =>
    withFig(
      async (fig, _running, { extracted }) => {
        await ready(fig);
        changeUnseen(extracted, `UPDATE levels SET on_hand = 8 WHERE sku = 'b'`);
        await refused(fig, /units: 12 in legacy, 13 in extracted/, 'fig reconcile shop');
        expect(await fig('reconcile shop')).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('next: fig reconcile shop --repair'),
        });
        expect(await fig('reconcile shop --repair')).toMatchObject({ code: 0 });
        expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
        expect(await fig('switch shop')).toMatchObject({ code: 0 });
      },
      shopWith(() => ({
        invariants: [
          {
            name: 'units',
            legacy: 'SELECT sum(QTY) FROM STOCK',
            extracted: 'SELECT sum(on_hand) FROM levels',
          },
        ],
      })),
    ));

  it('when there would be no way back', () =>
    withFig(async (fig, _running, { extracted }) => {
      await ready(fig);
      extracted.exec(`CREATE TRIGGER full BEFORE INSERT ON fig_feed_shop
        BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
      await refused(
        fig,
        /there would be no way back: a row of extracted .+ disk full/,
        'fig check shop',
      );
      expect((await fig('switch shop --dry-run')).stdout).toMatch(
        /\n +ok +invariants\n +refused +way_back +there would be no way back/,
      );
      extracted.exec('DROP TRIGGER full');
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
      // Both were taken back: neither side has anything that nobody wrote.
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
    }));
});

describe('the gates', () => {
  it('are all shown, each with what there is to say', () =>
    withFig(async (fig) => {
      const { code, stdout } = await fig('switch shop --dry-run');
      expect(code).toBe(3);
      expect(stdout).toMatch(/\n +ok +reachable\n +ok +fences\n/);
      expect(stdout).toMatch(/\n +refused +backfill +extracted has no complete copy/);
      expect(stdout).toMatch(/\n +refused +reconcile +the sides have never been compared/);
      expect(stdout).toMatch(/\n +untried +way_back\n/);
      expect(stdout).toMatch(/gate "backfill" would refuse it: [^\n]+\n$/);
      await ready(fig);
      const planned = JSON.parse((await fig('switch shop --dry-run --json')).stdout) as unknown;
      expect(planned).toMatchObject({
        gates: expect.arrayContaining([{ gate: 'way_back', ok: true, note: null }]),
        next_steps: [{ command: 'fig switch shop' }],
      });
      expect((await fig('status')).stdout).toMatch(/gates +all passed\n/);
    }));

  it('leave no trace of what they try, also of a side that is full of rows', () =>
    withFig(async (fig, _running, { legacy, extracted }) => {
      legacy.exec(`INSERT INTO PAY VALUES ('p1', '7.00', 'S', '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000');
        INSERT INTO LINES VALUES ('d', 1, 's', 'x')`);
      await ready(fig);
      const rows = (): unknown => [
        legacy.prepare('SELECT * FROM STOCK').all(),
        legacy.prepare('SELECT * FROM PAY').all(),
        extracted.prepare('SELECT * FROM levels').all(),
        extracted.prepare('SELECT * FROM entries').all(),
        extracted.prepare('SELECT state, epoch FROM fig_fence').all(),
        extracted.prepare('SELECT count(*) FROM fig_feed_shop').all(),
        extracted.prepare('SELECT applying FROM fig_clock').all(),
        legacy.prepare('SELECT applying FROM fig_clock').all(),
      ];
      const before = rows();
      expect(await fig('switch shop --dry-run')).toMatchObject({ code: 0 });
      expect(rows()).toEqual(before);
    }));
});

/** Where a program listens, and how that is configured. */
interface Listens {
  readonly listen: (server: Server) => unknown;
  readonly at: (server: Server) => ServerSettings;
}

function atSocket(socket: string): Listens {
  return {
    listen: (server) => server.listen(socket),
    at: () => ({ url: 'http://shop.internal', socket }),
  };
}

/** A program that tells which it is. */
async function versioned(
  name: string,
  version: () => string,
  listen: Listens['listen'] = (server) => server.listen(0, '127.0.0.1'),
): Promise<Server> {
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ status: 'ok', name, version: version() }));
  });
  listen(server);
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): ServerSettings {
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
