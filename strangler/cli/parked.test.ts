import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { withFig } from '../../tests/strangler/support/fig.ts';

const TIME = '2026-01-01 00:00:00.000';

describe('fig parked', () => {
  it('parks a change that can not be applied, and takes it back up when its row was mended', () =>
    withFig(async (fig, running, sides) => {
      await fig('backfill shop');
      await fig('reconcile shop');
      expect((await fig('parked')).stdout).toBe('nothing is parked\n');
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}');
        INSERT INTO RFND VALUES ('r1', 'p1', '1.00', 'P', '${TIME}', '${TIME}');
        UPDATE STOCK SET QTY = 99 WHERE SKU = 'b'`);
      await eventually(() =>
        expect(sides.extracted.prepare('SELECT max(on_hand) FROM levels').pluck().get()).toBe(99),
      );
      // What the other side has not got is no answer to whoever wrote it.
      expect(await running.call('GET', '/barrier/shop')).toMatchObject({
        status: 503,
        body: { code: 'changes_parked' },
      });
      await eventually(async () => {
        const { body } = await running.call('GET', '/routing');
        expect(body).toMatchObject({ capabilities: [{ replicaReady: false }] });
      });
      expect((await fig('status')).stdout).toMatch(
        /parked +2 changes, the first .+: AMT: '7' is not a decimal[^]+next +fig parked list shop/,
      );
      expect(running.lines.join('')).toContain("a change can't be applied and is parked");
      expect(await fig('switch shop')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/could not take.+\nnext: fig parked list shop\n$/),
      });
      expect((await fig('parked list shop')).stdout).toMatch(
        /^shop +1 +payments \["p1"\] +2 changes +(?:just now|[\d.]+ s ago) +AMT: '7' .+\nmend the owner's row, then: fig parked retry shop\n$/,
      );
      expect((await fig('parked show shop 1')).stdout).toMatch(
        /payments \["p1"\] {2}tried 1 time: AMT.+\n +\d+ +upsert +PAY +\{"PAY_NO":"p1","AMT":"7".+\n +\d+ +upsert +RFND/,
      );
      expect(await fig('parked retry shop')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('0 aggregates of 1 applied'),
      });
      expect(await fig('parked skip shop 1', { FIG_YES: '' })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('next: fig parked skip shop 1 --yes'),
      });
      expect(await fig('parked skip shop 7 --yes')).toMatchObject({ code: 2 });
      // An engine that lives and is not asked keeps its leases, and nothing is changed beside it.
      expect(
        await fig('parked skip shop 1 --yes', { ENGINE_URL: 'http://127.0.0.1:9' }),
      ).toMatchObject({ code: 1, stderr: expect.stringContaining('holds the lease of shop') });
      expect((await fig('parked list shop')).stdout).toContain('2 changes');
      sides.legacy.exec(`UPDATE PAY SET AMT = '7.00' WHERE PAY_NO = 'p1'`);
      expect(await fig('parked retry shop 1')).toMatchObject({
        code: 0,
        stdout: '1 aggregate of 1 applied\n',
      });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
      expect(sides.extracted.prepare('SELECT count(*) FROM entries').pluck().get()).toBe(2);
    }));

  it('skips what is parked when that is meant, and no handover begins before a full comparison', () =>
    withFig(async (fig, running, sides) => {
      await fig('backfill shop');
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}')`);
      await eventually(async () => expect((await fig('parked')).stdout).toContain('p1'));
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      expect(metrics).toContain('fig_dead_letters{kind="change",capability="shop"} 1\n');
      expect(await fig('parked skip shop 1 --yes')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /^1 change of payments \["p1"\] skipped; .+\nnext: fig reconcile shop\n$/,
        ),
      });
      // The comparison from before is clean and fresh, and does not count.
      const dropped = 'dead-lettered changes of payments ["p1"] were dropped';
      expect((await fig('status')).stdout).toContain(dropped);
      expect(await fig('switch shop')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(
          `compared as a whole: ${dropped}\nnext: fig reconcile shop`,
        ),
      });
      expect((await fig('reconcile shop')).stdout).toContain('different in payments: ["p1"]');
      expect(await fig('switch shop')).toMatchObject({ code: 3 });
      sides.legacy.exec(`UPDATE PAY SET AMT = '7.00'`);
      // The gates have tried to write its row once more, which was parked again.
      expect(await fig('parked retry shop')).toMatchObject({ code: 0 });
      await eventually(async () => expect(await fig('reconcile shop')).toMatchObject({ code: 0 }));
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it('takes a handover back when its last changes can not be applied', () =>
    withFig(async (fig, { engine }, sides) => {
      await fig('backfill shop');
      await fig('reconcile shop');
      const { opened } = engine.controllers.get('shop') ?? {};
      // Committed after the gates have been looked at, before the fence closes.
      const fence = opened?.sides.legacy.store;
      const step = fence?.beginHandover.bind(fence);
      Object.assign(fence ?? {}, {
        beginHandover: async (...given: Parameters<NonNullable<typeof step>>) => {
          sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}')`);
          return step?.(...given);
        },
      });
      expect(await fig('switch shop')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('changes that extracted could not take are parked there'),
      });
      expect((await fig('status')).stdout).toContain('owner legacy, epoch 3');
      sides.legacy.exec(`UPDATE PAY SET AMT = '7.00'`);
      expect(await fig('parked retry shop')).toMatchObject({ code: 0 });
    }));
});
