import { describe, expect, it } from '@jest/globals';
import { eventually, inSoak } from '../../tests/support/index.ts';
import type { CompletionStep } from '../ownership/completion/index.ts';
import type { CompletionDeclaration, EngineDeps } from '../engine/index.ts';
import { AT_ONCE } from '../../tests/strangler/support/completion.ts';
import { endOf, startDoomedEngine } from '../../tests/strangler/support/doomed-engine.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import { figFor, terminal, withFig } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';

function completing(
  sides: Sides,
  completion: Partial<CompletionDeclaration> = {},
): Partial<EngineDeps> {
  const declaration = {
    urls: sides.urls,
    mapping: shop,
    completion: { ...AT_ONCE, ...completion },
  };
  return { declarations: { shop: declaration }, leaseMs: 500 };
}

async function switchOver(fig: Fig): Promise<void> {
  for (const line of ['backfill shop', 'ramp shop 100', 'reconcile shop', 'switch shop']) {
    expect(await fig(line)).toMatchObject({ code: 0 });
  }
}

const tablesOf = ({ legacy }: Sides): unknown =>
  legacy
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'fig%' ORDER BY name`,
    )
    .pluck()
    .all();

const RETIRED = ['LINES_retired', 'PAY_retired', 'RFND_retired', 'STOCK_retired'];

async function expectComplete({ status, call }: RunningEngine, sides: Sides): Promise<void> {
  await eventually(async () => expect((await status()).standing.as).toBe('complete'));
  expect(await status()).toMatchObject({
    stage: 'complete',
    owner: 'extracted',
    epoch: 2,
    trouble: [],
    drift: [],
    wayBack: null,
  });
  expect(tablesOf(sides)).toEqual(RETIRED);
  expect(sides.legacy.prepare('SELECT sum(QTY) FROM STOCK_retired').pluck().get()).toBe(12);
  // Nothing is captured any more, and nothing stands in the owner's way.
  const feed = 'SELECT max(position) FROM fig_feed_shop';
  const position = sides.extracted.prepare(feed).pluck().get();
  sides.extracted.exec('UPDATE levels SET on_hand = on_hand + 1');
  expect(sides.extracted.prepare(feed).pluck().get()).toBe(position);
  expect(sides.legacy.prepare('SELECT state FROM fig_fence').pluck().get()).toBe('ceded');
  expect((await call('GET', '/routing')).body).toMatchObject({
    capabilities: [{ owner: 'extracted', holding: false }],
  });
}

describe('fig complete', () => {
  it('is refused until everything speaks for it, and names the next command', () =>
    withFig(
      async (fig, running, sides) => {
        const refused = async (reason: RegExp, next?: string): Promise<void> => {
          const { code, stderr } = await fig('complete shop --yes');
          expect(stderr).toMatch(reason);
          expect(code).toBe(3);
          if (next === undefined) expect(stderr).not.toContain('next:');
          else expect(stderr).toContain(`next: ${next}\n`);
        };
        await refused(/extracted does not own shop/, 'fig switch shop');
        await switchOver(fig);
        await refused(/owner for \d+ s; it soaks for 3 s, until 20\d\d-/);
        await eventually(async () => {
          expect((await fig('complete shop --dry-run')).stdout).toMatch(/ok +soak\n/);
        });
        await fig('shadow shop 50');
        await eventually(() =>
          refused(/50 % of the reads are compared/, 'fig flags set shop.shadow 0'),
        );
        await fig('flags set shop.shadow 0');
        await fig('ramp shop 90');
        await eventually(() => refused(/10 % of the customers/, 'fig flags set shop.reads 100'));
        await fig('flags set shop.reads 100');
        // As the monolith's own routes note it.
        sides.legacy.exec(`UPDATE fig_notice SET asked = 3, asked_for = 'GET /shop/7',
          asked_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`);
        await eventually(() => refused(/asked \d s ago \(GET \/shop\/7\), 3 times/));
        sides.legacy.exec('UPDATE fig_notice SET asked_at = 1');
        sides.legacy.exec('CREATE VIEW LOW AS SELECT SKU FROM STOCK');
        await refused(/view LOW uses STOCK; drop it/);
        sides.legacy.exec('DROP VIEW LOW');
        sides.extracted.exec(`INSERT INTO entries VALUES ('p1', 'settlement', 'odd', 1, 1)`);
        await eventually(() => refused(/legacy could not take/, 'fig parked list shop'));
        sides.extracted.exec(`DELETE FROM entries`);
        expect(await fig('parked retry shop')).toMatchObject({ code: 0 });
        const { code, stdout } = await fig('complete shop --dry-run');
        expect(stdout).toMatch(
          /^completing shop would\n 1\. compare .+\n 2\. close the way back: the point of no return\n/,
        );
        expect(stdout).toMatch(/rename STOCK to STOCK_retired, .+\n[^]+all gates hold\n$/);
        expect(code).toBe(0);
        expect(tablesOf(sides)).toEqual(['LINES', 'PAY', 'RFND', 'STOCK']);
        expect((await running.status()).stage).toBe('switched');
      },
      (sides) => completing(sides, { soakMs: 3_000, quietMs: 10_000 }),
    ));

  it('closes the way back, renames the tables, and says what is left to delete', () =>
    withFig(
      async (fig, running, sides) => {
        await switchOver(fig);
        expect(await fig('complete shop', { FIG_YES: '' })).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('next: fig complete shop --yes'),
        });
        expect(await fig('complete shop', {}, terminal('n'))).toMatchObject({ code: 1 });
        expect(await fig('complete shop', {}, terminal('y'))).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(
            /^shop is complete: there is no way back\n[^]+STOCK_retired +was STOCK\n[^]+ {2}flags shop\.shadow, [^]+ {2}code old\/shop\/\n$/,
          ),
        });
        await expectComplete(running, sides);
        expect((await fig('status')).stdout).toMatch(
          /shop {2}complete {2}owner extracted, epoch 2\n/,
        );
        expect(await fig('reverse shop')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(
            /shop was completed at 20.+ would have to rename STOCK_retired \(STOCK\), /,
          ),
        });
        expect((await fig('journal shop')).stdout).toMatch(
          /legacy -> extracted[^]+\n\nshop {2}complete {2}20\S+ {2}done\n {2}\+\d+ ms +reconcile[^]+ms +finish/,
        );
        expect(await fig('reconcile shop')).toMatchObject({ code: 3 });
        expect((await fig('switch shop')).stdout).toContain('already belongs to extracted');
        expect(await fig('complete shop --yes --json')).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('"outcome": "already"'),
        });
        expect(sides.legacy.prepare('SELECT * FROM fig_notice').get()).toMatchObject({
          successor: 'http://shop.example',
          retired_at: expect.any(Number),
        });
      },
      (sides) => completing(sides),
    ));

  it('changes nothing when the last comparison finds a difference', () =>
    withFig(
      async (fig, running, sides) => {
        await switchOver(fig);
        sides.legacy.exec(`UPDATE fig_clock SET applying = 1;
          UPDATE STOCK SET QTY = 99 WHERE SKU = 'b'; UPDATE fig_clock SET applying = 0`);
        expect(await fig('complete shop --yes')).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(
            /nothing has changed: .+ 1 rows that differ\nnext: fig reconcile shop --repair\n$/,
          ),
        });
        await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
        expect(await running.status()).toMatchObject({ stage: 'switched' });
        expect(tablesOf(sides)).toEqual(['LINES', 'PAY', 'RFND', 'STOCK']);
        expect(await fig('reconcile shop --repair')).toMatchObject({ code: 0 });
        expect(await fig('complete shop --yes')).toMatchObject({ code: 0 });
      },
      (sides) => completing(sides),
    ));

  const steps: readonly CompletionStep[] = [
    'reconcile',
    'seal',
    'release',
    'retire',
    'publish',
    'finish',
  ];

  it.each(inSoak(steps, ['retire'] as const))(
    'is gone on with after a kill just before %s',
    (step) =>
      withSides(async (sides) => {
        sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0), ('b', 7, 1)");
        await withEngine(sides, completing(sides), async ({ status, url }) => {
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          await switchOver(await figFor(sides, url));
        });
        const engine = startDoomedEngine(sides, `complete:${step}`, 'SIGKILL');
        expect(await endOf(engine)).toEqual([null, 'SIGKILL']);
        await withEngine(sides, completing(sides), async (running) => {
          await expectComplete(running, sides);
          expect(running.lines.join('')).toContain('an interrupted completion was finished');
        });
        // And the next one has nothing left to do.
        await withEngine(sides, completing(sides), (running) => expectComplete(running, sides));
      }),
  );

  it('is taken back when it was interrupted long ago, before anything was changed', () =>
    withSides(async (sides) => {
      sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0), ('b', 7, 1)");
      await withEngine(sides, completing(sides), async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        await switchOver(await figFor(sides, url));
      });
      sides.legacy.exec(`INSERT INTO fig_completion (id, capability, started_at)
        VALUES ('old', 'shop', 1000)`);
      await withEngine(sides, completing(sides), async ({ status, lines }) => {
        await eventually(() =>
          expect(lines.join('')).toContain('an interrupted completion was taken back'),
        );
        await eventually(async () =>
          expect(await status()).toMatchObject({ standing: { as: 'leader' }, stage: 'switched' }),
        );
      });
    }));
});

describe('when what extracted writes does not find its way back', () => {
  it('says ROLLBACK UNSAFE in status and log, and moves no more readers elsewhere', () =>
    withSides((sides) =>
      withEngine(sides, completing(sides), async (running) => {
        sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0)");
        await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
        const fig = await figFor(sides, running.url, 'shop', ['other']);
        await switchOver(fig);
        expect((await fig('status')).stdout).toMatch(/way back +fig reverse shop\n/);
        expect(await fig('ramp other 10')).toMatchObject({ code: 0 });
        sides.extracted.exec(`INSERT INTO entries VALUES ('p1', 'settlement', 'odd', 1, 1)`);
        await eventually(async () => {
          expect((await fig('status')).stdout).toMatch(
            /way back +ROLLBACK UNSAFE: legacy could not take 1 changes: .+; fig parked list shop\n/,
          );
        });
        await eventually(() => expect(running.lines.join('')).toContain('"msg":"ROLLBACK UNSAFE"'));
        expect(await fig('ramp other 50')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(
            /ROLLBACK UNSAFE of shop, so no more reads move: .+\nnext: fig parked list shop\n$/,
          ),
        });
        expect(await fig('ramp other 5')).toMatchObject({ code: 0 });
        sides.extracted.exec('DELETE FROM entries');
        expect(await fig('parked retry shop')).toMatchObject({ code: 0 });
        expect(await fig('ramp other 50')).toMatchObject({ code: 0 });
        await eventually(() =>
          expect(running.lines.join('')).toContain('there is a way back again'),
        );
      }),
    ));
});

describe('fig shadow-fence', () => {
  it('reports writes that bypass the application, in a report, in the status and before a switch', () =>
    withFig(async (fig, _running, { legacy }) => {
      expect((await fig('shadow-fence shop report')).stdout).toBe('shop was not audited yet\n');
      expect(await fig('shadow-fence shop on')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /^shop is watched since .+: no write bypassed the application\n$/,
        ),
      });
      expect((await fig('status')).stdout).toMatch(/watch +0 writes bypassed the application\n/);
      legacy.exec(`UPDATE STOCK SET QTY = 9`);
      expect((await fig('shadow-fence shop report')).stdout).toMatch(
        /these writes bypassed the application\n +STOCK +update +2 writes +first .+\nafter a handover these would fail\n$/,
      );
      await fig('backfill shop');
      await fig('reconcile shop');
      const { code, stdout } = await fig('switch shop --dry-run');
      expect(stdout).toMatch(
        /ok +shadow_fence +2 writes bypassed the application since .+: fig shadow-fence shop report\n/,
      );
      expect(code).toBe(0);
      expect((await fig('shadow-fence shop off')).stdout).toMatch(
        /^shop was watched since .+ until/,
      );
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
      expect(await fig('shadow-fence shop maybe')).toMatchObject({ code: 2 });
    }));
});
