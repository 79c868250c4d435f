import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { flagFileStore } from '../../routing/index.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';
import { defaultLimits } from '../ownership/handover/machine.ts';

const repair = (trust: string | null): [string, string, unknown] => [
  'POST',
  '/repairs',
  { capability: 'shop', trust },
];

async function prepare(running: RunningEngine): Promise<void> {
  await leading(running);
  await running.call('POST', '/backfills', { capability: 'shop' });
  await eventually(async () => expect((await running.status()).backfill.state).toBe('done'));
  await running.call('POST', '/reconciles', { capability: 'shop' });
}

async function leading({ status }: RunningEngine): Promise<void> {
  await eventually(async () => expect((await status()).standing.as).toBe('leader'));
}

/** Too many rows to vanish without a question. */
function stockUp({ legacy }: Sides): void {
  const insert = legacy.prepare('INSERT INTO STOCK (SKU, QTY, RSV) VALUES (?, 1, 0)');
  for (let row = 0; row < 22; row += 1) insert.run(`sku-${row}`);
}

describe('repairs by the engine', () => {
  it('are made of what the doctor finds, and of nothing else', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        await leading(running);
        for (const side of ['legacy', 'extracted']) {
          expect(await running.call(...repair(side))).toMatchObject({
            status: 409,
            body: { code: 'nothing_to_repair', next: 'fig doctor shop' },
          });
        }
        expect(await running.call(...repair(null))).toMatchObject({
          status: 200,
          body: { done: [] },
        });
        expect(await running.status()).toMatchObject({ owner: 'legacy', epoch: 1, demand: null });
      }),
    ));

  it.each(['set', 'not set'])('that decide the owner settle the request, the flag %s', (way) =>
    withSides(async (sides) => {
      const store = flagFileStore(flagsFileOf(sides));
      const flagStore = way === 'set' ? store : undefined;
      await withEngine(sides, { flagStore }, async (running) => {
        await leading(running);
        await running.call('POST', '/backfills', { capability: 'shop' });
        await eventually(async () => expect((await running.status()).backfill.state).toBe('done'));
        await running.call('POST', '/reconciles', { capability: 'shop' });
        await running.setFlags({ 'shop.writes': 100 });
        await eventually(async () => expect((await running.status()).owner).toBe('extracted'));
        sides.extracted.exec(`UPDATE fig_fence SET state = 'closed'`);
        await eventually(async () => expect((await running.status()).owner).toBe(null));
        const { status, body } = await running.call(...repair('legacy'));
        expect({ status, body }).toMatchObject({
          status: 200,
          body: {
            done: expect.arrayContaining([
              expect.stringMatching(/^shop\.writes (is off|could not be set)/),
            ]),
          },
        });
        const settled = {
          owner: 'legacy',
          intent:
            way === 'set'
              ? { to: 'legacy' }
              : { spent: expect.stringContaining('a person moved it') },
        };
        await eventually(async () => expect(await running.status()).toMatchObject(settled));
        // All that would have kept it from being handed back is out of the way.
        expect(await running.call('POST', '/reconciles', { capability: 'shop' })).toMatchObject({
          body: { clean: true },
        });
        await eventually(async () => expect((await running.status()).demand).toBe(null));
      });
      await withEngine(sides, { flagStore }, async (running) => {
        await leading(running);
        await eventually(async () =>
          expect((await running.status()).intent).toMatchObject(
            way === 'set' ? { to: 'legacy' } : { to: 'extracted', spent: expect.any(String) },
          ),
        );
        expect((await running.status()).owner).toBe('legacy');
      });
    }),
  );

  it('have something to say of a gate whose remedy fails, until that comes to its end', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        await prepare(running);
        const fig = await figFor(sides, running.url);
        expect(await fig('doctor')).toMatchObject({ code: 0 });
        const both = [sides.legacy, sides.extracted];
        for (const side of both) side.exec('ALTER TABLE fig_reconcile RENAME TO away');
        const failed = await running.call('POST', '/reconciles', { capability: 'shop' });
        expect([failed.status, JSON.stringify(failed.body)]).toEqual([
          500,
          expect.stringContaining('no such table'),
        ]);
        for (const side of both) side.exec('ALTER TABLE away RENAME TO fig_reconcile');
        expect(await fig('doctor')).toMatchObject({
          code: 1,
          stdout: expect.stringMatching(
            /remedy_fails: the last comparison broke off: .*no such table/,
          ),
        });
        expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
        await eventually(async () => expect(await fig('doctor')).toMatchObject({ code: 0 }));
      }),
    ));

  it('name the error of a handover that can not be finished, in answer, status and journal', () =>
    withSides((sides) => {
      let isBroken = true;
      const onStep = (_capability: string, step: string): void => {
        // Past the commit point there is only one way, and it fails.
        if (step === 'open' && isBroken) throw new Error('the disk is full');
      };
      const limits = { ...defaultLimits, troubleMs: 500 };
      return withEngine(sides, { onStep, limits }, async (running) => {
        await prepare(running);
        const order = { capability: 'shop', to: 'extracted' };
        const stuck = {
          status: 503,
          body: { code: 'handover_stuck', detail: expect.stringContaining('the disk is full') },
        };
        expect(await running.call('POST', '/handovers', order)).toMatchObject(stuck);
        expect(await running.call('POST', '/handovers', order)).toMatchObject(stuck);
        const { trouble, moving } = await running.status();
        expect(trouble.join()).toMatch(/can't be finished: .*the disk is full/);
        expect(moving?.steps).toEqual(
          expect.arrayContaining([
            expect.objectContaining({
              step: 'trouble',
              detail: expect.stringMatching(/disk is full/),
            }),
          ]),
        );
        const fig = await figFor(sides, running.url);
        expect(await fig('switch shop')).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/the disk is full\nnext: fig journal shop\n$/),
        });
        isBroken = false;
        await eventually(async () => expect((await running.status()).owner).toBe('extracted'));
        expect((await running.status()).trouble).toEqual([]);
      });
    }));

  it('and copies that would replace rows by as many others are refused, too', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        await leading(running);
        stockUp(sides);
        await prepare(running);
        // Another file with as many rows, as after a seed.
        sides.legacy.exec(`UPDATE fig_clock SET applying = 1;
          UPDATE STOCK SET SKU = 'other-' || SKU; UPDATE fig_clock SET applying = 0`);
        const fig = await figFor(sides, running.url);
        expect(await fig('reconcile shop --repair')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(
            /^error: 44 rows of extracted would vanish.+levels 22 in legacy, 22 in extracted.+--delete-rows 44/,
          ),
        });
      }),
    ));

  it('and copies that would make many rows vanish are refused, until their number is named', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        await leading(running);
        stockUp(sides);
        await prepare(running);
        // Lost by the owner past its triggers, as in a file that was made anew.
        const levels = (): unknown =>
          sides.extracted.prepare('SELECT count(*) FROM levels').pluck().get();
        const triggers = sides.legacy
          .prepare(
            `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'STOCK'`,
          )
          .all() as { name: string; sql: string }[];
        sides.legacy.transaction(() => {
          for (const { name } of triggers) sides.legacy.exec(`DROP TRIGGER "${name}"`);
          sides.legacy.exec('DELETE FROM STOCK');
          for (const { sql } of triggers) sides.legacy.exec(sql);
        })();
        const fig = await figFor(sides, running.url);
        for (const line of ['backfill shop --restart', 'reconcile shop --repair']) {
          expect(await fig(line)).toMatchObject({
            code: 3,
            stderr: expect.stringMatching(
              /^error: 44 rows of extracted would vanish.+levels 0 in legacy, 22 in extracted.+--delete-rows 44/,
            ),
          });
          expect(await fig(`${line} --delete-rows 43`)).toMatchObject({ code: 3 });
        }
        for (const [path, more] of [
          ['/backfills', { restart: true }],
          ['/reconciles', { repair: true }],
        ] as const) {
          expect(await running.call('POST', path, { capability: 'shop', ...more })).toMatchObject({
            status: 409,
            body: {
              code: 'would_delete_rows',
              removed: 44,
              newest: { legacy: expect.any(Number) },
            },
          });
        }
        expect(levels()).toBe(22);
        expect(await fig('reconcile shop --repair --delete-rows 44')).toMatchObject({ code: 0 });
        await eventually(() => expect(levels()).toBe(0));
      }),
    ));

  it('and first copies onto rows that the owner has not got are refused, after both sides were shown', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        await leading(running);
        sides.legacy.exec(`INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 1, 0)`);
        const there = (): unknown =>
          sides.extracted.prepare('SELECT count(*) FROM levels').pluck().get();
        // As a service that was in use before; past the fence.
        sides.extracted.exec('UPDATE fig_clock SET applying = 1');
        const insert = sides.extracted.prepare('INSERT INTO levels (sku, on_hand) VALUES (?, 1)');
        for (let row = 0; row < 22; row += 1) insert.run(`own-${row}`);
        sides.extracted.exec('UPDATE fig_clock SET applying = 0');
        const fig = await figFor(sides, running.url);
        const refused = {
          code: 3,
          stderr: expect.stringMatching(
            /^error: 22 rows of extracted would vanish.+levels 1 in legacy, 23 in extracted.+--delete-rows 22\nnext: fig doctor shop\n$/,
          ),
        };
        expect(await fig('backfill shop --yes')).toMatchObject(refused);
        expect(await running.call('POST', '/backfills', { capability: 'shop' })).toMatchObject({
          status: 409,
          body: { code: 'would_delete_rows', removed: 22 },
        });
        expect(there()).toBe(23);
        expect(await fig('backfill shop --delete-rows 22 --yes')).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(
            /^legacy: levels 1, .+; .*newest write.*\nextracted: levels 23, .+\n22 rows of extracted would vanish\n/,
          ),
        });
        expect(there()).toBe(1);
      }),
    ));

  it('and a copy does not go on by itself where many rows would vanish', () =>
    withSides(async (sides) => {
      await withEngine(sides, {}, async (running) => {
        await leading(running);
        stockUp(sides);
        await prepare(running);
      });
      // As an engine that was killed in the middle of a copy leaves it, and an owner that has lost its rows since.
      sides.extracted.exec(
        `UPDATE fig_install SET complete = 0; UPDATE fig_backfill SET done = 0, cursor = NULL`,
      );
      sides.legacy.exec(
        `UPDATE fig_clock SET applying = 1; DELETE FROM STOCK; UPDATE fig_clock SET applying = 0`,
      );
      await withEngine(sides, {}, async (running) => {
        await eventually(async () =>
          expect((await running.status()).backfillRun?.problem).toMatch(
            /does not go on by itself: 22 rows of extracted would vanish.+levels 0 in legacy, 22 in extracted.+fig backfill shop/,
          ),
        );
        const fig = await figFor(sides, running.url);
        expect(await fig('backfill shop')).toMatchObject({
          code: 3,
          stderr: expect.stringContaining('--delete-rows 44'),
        });
        expect(sides.extracted.prepare('SELECT count(*) FROM levels').pluck().get()).toBe(22);
      });
    }));

  it('and a side is not trusted at the price of many rows of the other one, until their number is named', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        await leading(running);
        stockUp(sides);
        await prepare(running);
        sides.legacy.exec(`UPDATE fig_clock SET applying = 1; DELETE FROM STOCK;
          UPDATE fig_clock SET applying = 0; UPDATE fig_fence SET state = 'closed'`);
        await eventually(async () => expect((await running.status()).owner).toBe(null));
        const fig = await figFor(sides, running.url);
        const line = 'doctor shop --repair --trust legacy';
        const named =
          /44 rows of extracted would vanish.+levels 0 in legacy, 22 in extracted.+--keep takes them over.+--delete-rows 44\n/;
        expect(await fig(`${line} --yes`)).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(named),
        });
        const order = { capability: 'shop', trust: 'legacy' };
        expect(await running.call('POST', '/repairs', order)).toMatchObject({
          status: 409,
          body: { code: 'would_delete_rows', removed: 44 },
        });
        expect((await running.status()).owner).toBe(null);
        const { stderr } = await fig(`${line} --delete-rows 44 --yes`);
        expect(stderr).toMatch(/^legacy: levels 0, .+\nextracted: levels 22, .+\n44 rows/);
        await eventually(async () => expect((await running.status()).owner).toBe('legacy'));
      }),
    ));
});
