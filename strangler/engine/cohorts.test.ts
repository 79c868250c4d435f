import { describe, expect, it } from '@jest/globals';
import { normalizedStrategyValue } from 'unleash-client/lib/strategy/util.js';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import type { RoutingState } from '../../routing/index.ts';
import type { Dialect, Session } from '../../tests/strangler/support/dialects.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import {
  expectEqual,
  prepareTill,
  takersOf,
  withTill,
  withTillEngine,
} from '../../tests/strangler/support/till-desk.ts';
import { till } from '../../tests/strangler/support/till.ts';

type Wish = { readonly customers?: readonly string[]; readonly share?: number };

const move = ({ call }: RunningEngine, to: 'legacy' | 'extracted', wish: Wish = {}) =>
  call('POST', '/handovers', { capability: 'till', to, ...wish });

async function routingOf({ call }: RunningEngine): Promise<RoutingState | undefined> {
  const { body } = await call('GET', '/routing');
  return (body as { capabilities: RoutingState[] }).capabilities[0];
}

describe.each(dialectsOfRun)('single customers on %s', (dialect) => {
  it('move ahead, the rest follows, and everything comes back', () =>
    withTill(dialect, (sides) =>
      withTillEngine(sides, async (running) => {
        await prepareTill(running);
        const { status, call } = running;
        expect(await move(running, 'extracted', { customers: ['A', 'new'] })).toMatchObject({
          status: 200,
          body: { outcome: 'done', keys: ['A', 'new'], epoch: 2, rollbackUnsafe: null },
        });
        expect(await status()).toMatchObject({
          owner: 'legacy',
          cohorts: { legacy: [], extracted: ['A', 'new'], nobody: [] },
          lastHandover: { keys: ['A', 'new'], outcome: 'done' },
        });
        expect(await takersOf(sides, 'A', 'a1')).toEqual(['extracted']);
        expect(await takersOf(sides, 'new', 'n1')).toEqual(['extracted']);
        expect(await takersOf(sides, 'B', 'b1')).toEqual(['legacy']);
        expect(await takersOf(sides, 'newer', 'n2')).toEqual(['legacy']);
        await expectEqual(running);
        await eventually(async () => {
          expect(await routingOf(running)).toMatchObject({
            owner: 'legacy',
            holding: false,
            cohorts: [{ keys: ['A', 'new'], owner: 'extracted', epoch: 2, holding: false }],
          });
        });
        expect((await move(running, 'extracted', { customers: ['A'] })).body).toMatchObject({
          outcome: 'already',
          keys: [],
        });
        expect(await move(running, 'legacy', { customers: ['A', 'B'] })).toMatchObject({
          body: { outcome: 'done', keys: ['A'], epoch: 3 },
        });
        expect(await takersOf(sides, 'A', 'a2')).toEqual(['legacy']);
        await expectEqual(running);

        expect(await move(running, 'extracted')).toMatchObject({
          body: { outcome: 'done', keys: null, epoch: 4 },
        });
        for (const customer of ['A', 'B', 'new', 'never seen']) {
          expect(await takersOf(sides, customer, `c-${customer}`)).toEqual(['extracted']);
        }
        await expectEqual(running);
        expect(await status()).toMatchObject({ owner: 'extracted', cohorts: null, epoch: 4 });
        expect((await move(running, 'extracted')).body).toMatchObject({ outcome: 'already' });

        expect(await move(running, 'legacy', { customers: ['B'] })).toMatchObject({
          body: { outcome: 'done', keys: ['B'], epoch: 5 },
        });
        expect(await takersOf(sides, 'B', 'b3')).toEqual(['legacy']);
        expect(await takersOf(sides, 'C', 'c3')).toEqual(['extracted']);
        await expectEqual(running);
        const completion = await call('POST', '/completions', { capability: 'till', dryRun: true });
        expect(completion.body).toMatchObject({
          gates: expect.arrayContaining([
            expect.objectContaining({ gate: 'owner', ok: false, next: 'fig switch till' }),
          ]),
        });
        expect(await move(running, 'legacy')).toMatchObject({
          body: { outcome: 'done', keys: null, epoch: 6 },
        });
        expect(await takersOf(sides, 'C', 'c4')).toEqual(['legacy']);
        await expectEqual(running);
        expect(await status()).toMatchObject({ owner: 'legacy', cohorts: null, epoch: 6 });
        const fences = `SELECT key FROM fig_fence WHERE capability = 'till'`;
        expect(await sides.legacy.rows(fences)).toEqual([{ key: '*' }]);
        expect(await sides.extracted.rows(fences)).toEqual([{ key: '*' }]);
      }),
    ));

  it('come back when only they had moved, with the flag as it is', () =>
    withTill(dialect, (sides) =>
      withTillEngine(sides, async (running) => {
        await prepareTill(running);
        await move(running, 'extracted', { customers: ['A'] });
        expect(await takersOf(sides, 'A', 'a1')).toEqual(['extracted']);
        expect(await move(running, 'legacy')).toMatchObject({
          body: { outcome: 'done', keys: null, epoch: 3 },
        });
        expect(await takersOf(sides, 'A', 'a2')).toEqual(['legacy']);
        expect(await takersOf(sides, 'B', 'b2')).toEqual(['legacy']);
        await expectEqual(running);
        expect(await running.status()).toMatchObject({ owner: 'legacy', cohorts: null, epoch: 3 });
      }),
    ));
});

/** Changes a row behind everybody's back, as a bug in an applier would. */
function damage(dialect: Dialect, session: Session, sql: string): Promise<void> {
  return session.run(
    dialect === 'postgres'
      ? `BEGIN; SET LOCAL fig.applying = 'on'; ${sql}; COMMIT`
      : `BEGIN; UPDATE fig_clock SET applying = 1; ${sql}; UPDATE fig_clock SET applying = 0; COMMIT`,
  );
}

describe.each(dialectsOfRun)('a comparison while customers are ahead on %s', (dialect) => {
  it('goes by the owner of each row, counts the owners, and repairs from there', () =>
    withTill(dialect, (sides) =>
      withTillEngine(sides, async (running) => {
        await prepareTill(running);
        await move(running, 'extracted', { customers: ['A'] });
        const { legacy, extracted } = sides;
        await damage(dialect, legacy, `UPDATE "SALE" SET "AMT" = 77 WHERE "CUST_NO" = 'A'`);
        await damage(dialect, extracted, `DELETE FROM sales WHERE customer_id = 'B'`);
        const compare = async (repair: boolean): Promise<unknown> =>
          (await running.call('POST', '/reconciles', { capability: 'till', repair })).body;
        expect(await compare(false)).toMatchObject({
          clean: false,
          keys: { legacy: 0, extracted: 1, doubtful: [] },
          rows: [{ kind: 'missing' }, { kind: 'different', columns: ['AMT'] }],
        });
        expect(await compare(true)).toMatchObject({ repair: { queued: 2, left: 0 } });
        await expectEqual(running);
        const amounts = `SELECT "AMT" AS amount FROM "SALE" WHERE "CUST_NO" = 'A'`;
        expect(await legacy.rows(amounts)).toEqual([{ amount: 1 }]);
        // Neither side is a copy of the other now.
        await running.call('POST', '/backfills', { capability: 'till', restart: true });
        await eventually(async () => {
          expect((await running.status()).backfillRun?.problem).toMatch(/1 key of till went ahead/);
        });
        expect(await running.call('GET', '/barrier/till')).toMatchObject({ status: 200 });
      }),
    ));
});

describe('a share of the customers', () => {
  const customers = Array.from({ length: 60 }, (_, nr) => `C${nr}`);

  it('is those whose reads a share of the flag moves, as explicit keys', () =>
    withTill(
      'sqlite',
      (sides) =>
        withTillEngine(sides, async (running) => {
          await prepareTill(running);
          const asked = await running.call('POST', '/handovers', {
            capability: 'till',
            to: 'extracted',
            share: 30,
            dryRun: true,
          });
          const { keys } = asked.body as { keys: string[] };
          const place = (key: string) => normalizedStrategyValue(key, 'till.reads');
          expect(keys).toEqual(customers.filter((key) => place(key) <= 30).sort());
          expect(keys.length).toBeGreaterThan(5);
          expect((await running.status()).cohorts).toBeNull();
          expect((await move(running, 'extracted', { share: 30 })).body).toMatchObject({ keys });
          expect((await move(running, 'extracted', { share: 30 })).body).toMatchObject({
            outcome: 'already',
          });
          expect((await running.status()).cohorts?.extracted).toEqual(keys);
          await expectEqual(running);
        }),
      customers,
    ));
});

describe('more customers than one handover moves', () => {
  it('go in several, and the rest follows as ever', () =>
    withTill('sqlite', async (sides) => {
      const sales = Array.from({ length: 700 }, (_, nr) => `('m${nr}', 'M${nr}', 'm${nr}', 1)`);
      await sides.legacy.run(`INSERT INTO "SALE" VALUES ${sales.join(', ')}`);
      await withTillEngine(sides, async (running) => {
        await prepareTill(running);
        const { body } = await move(running, 'extracted', { share: 100 });
        expect((body as { keys: string[] }).keys).toHaveLength(703);
        // An engine that has just lost its lease, as on a busy machine, opens its databases anew.
        await eventually(async () =>
          expect(await running.engine.handovers()).toMatchObject({
            handovers: [
              { keys: { length: 203 }, epoch: 3 },
              { keys: { length: 500 }, epoch: 2 },
            ],
            unread: [],
          }),
        );
        expect(await takersOf(sides, 'M1', 'x1')).toEqual(['extracted']);
        expect(await takersOf(sides, 'not seen', 'x2')).toEqual(['legacy']);
        expect((await move(running, 'extracted')).body).toMatchObject({ outcome: 'done' });
        expect(await takersOf(sides, 'not seen', 'x3')).toEqual(['extracted']);
        await expectEqual(running);
      });
    }));
});

describe('a capability whose customers can not move by themselves', () => {
  it.each([
    ['says why', { off: 'a sale is of several at once' }, /till moves as a whole: a sale is of/],
    ['says that nobody asked for it', undefined, /the config of till names no cohorts/],
  ])('%s, and what to do instead', (_how, cohorts, reason) =>
    withTill('sqlite', (sides) =>
      withEngine(
        sides,
        { declarations: { till: { urls: sides.urls, mapping: till, cohorts } } },
        async (running) => {
          await prepareTill(running);
          expect(await move(running, 'extracted', { customers: ['A'] })).toMatchObject({
            status: 409,
            body: { code: 'gate_refused', gate: 'cohorts', next: 'fig switch till' },
          });
          const { body } = await move(running, 'extracted', { share: 10 });
          expect((body as { detail: string }).detail).toMatch(reason);
          expect((await running.status()).cohorts).toBeNull();
        },
      ),
    ),
  );
});
