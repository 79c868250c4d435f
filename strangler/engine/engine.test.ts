import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';
import { beginCounting, keepWriting, levelAt } from '../../tests/strangler/support/writer.ts';
import { defaultLimits } from '../ownership/handover/machine.ts';
import { defaultGateLimits } from '../ownership/handover/gates.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';

function fill({ legacy }: Sides, rows = 50): void {
  const insert = legacy.prepare('INSERT INTO STOCK (SKU, QTY, RSV) VALUES (?, ?, 0)');
  for (let row = 0; row < rows; row += 1) insert.run(`sku-${String(row).padStart(4, '0')}`, 100);
}

/** Everything the gates ask for. */
async function prepare(running: RunningEngine): Promise<void> {
  const { call, status } = running;
  await eventually(async () => expect((await call('GET', '/readyz')).status).toBe(200));
  await eventually(async () => expect((await status()).standing.as).toBe('leader'));
  expect((await call('POST', '/backfills', { capability: 'shop' })).status).toBe(202);
  await eventually(async () => expect((await status()).backfill.state).toBe('done'));
  const report = await call('POST', '/reconciles', { capability: 'shop' });
  expect(report).toMatchObject({ status: 200, body: { clean: true } });
}

const handOver = (to: 'legacy' | 'extracted'): [string, string, unknown] => [
  'POST',
  '/handovers',
  { capability: 'shop', to },
];

/** A machine that is busy with other tests holds writers for longer, which is not what is tested. */
const gateLimits = { ...defaultGateLimits, holdMs: 20_000 };

describe('the engine', () => {
  it('that lets go of its databases in the middle of a comparison says so, and that it may be asked again', () =>
    withSides((sides) =>
      withEngine(sides, {}, async ({ engine, call, status }) => {
        sides.legacy
          .exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
          INSERT INTO STOCK (SKU, QTY, RSV) SELECT 'k' || i, i, 0 FROM n`);
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        const compared = call('POST', '/reconciles', { capability: 'shop' });
        // Asked later, and answered while the rows are still being compared.
        await status();
        engine.controllers.get('shop')?.startOver();
        expect(await compared).toMatchObject({
          status: 503,
          body: { code: 'engine_not_leading', capability: 'shop' },
        });
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        // What was cut off is no reason to distrust the rows.
        expect(sides.legacy.prepare('SELECT * FROM fig_reconcile').all()).toEqual([]);
      }),
    ));

  it('refuses a handover until each gate holds, and names the next command', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        fill(sides);
        const { call, status } = running;
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        const refusal = async (): Promise<unknown> => (await call(...handOver('extracted'))).body;
        expect(await refusal()).toMatchObject({
          code: 'gate_refused',
          gate: 'backfill',
          next: 'fig backfill shop',
        });
        await call('POST', '/backfills', { capability: 'shop' });
        await eventually(async () => expect((await status()).backfill.state).toBe('done'));
        expect(await refusal()).toMatchObject({ gate: 'reconcile', next: 'fig reconcile shop' });
        await call('POST', '/reconciles', { capability: 'shop' });
        expect(await call(...handOver('extracted'))).toMatchObject({
          status: 200,
          body: { outcome: 'done', to: 'extracted', epoch: 2 },
        });
        expect(await call(...handOver('extracted'))).toMatchObject({
          status: 200,
          body: { outcome: 'already', epoch: 2 },
        });
      }),
    ));

  it('moves ownership out, back and out again, and writes go with it', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        fill(sides);
        await prepare(running);
        const { call, status } = running;
        const set = {
          legacy: 'UPDATE STOCK SET QTY = ?',
          extracted: 'UPDATE levels SET on_hand = ?',
        };
        let owner: 'legacy' | 'extracted' = 'legacy';
        for (const [round, to] of (['extracted', 'legacy', 'extracted'] as const).entries()) {
          const answer = await call(...handOver(to));
          expect(answer).toMatchObject({
            status: 200,
            body: { outcome: 'done', epoch: round + 2 },
          });
          const { holdMs } = answer.body as { holdMs: number };
          expect(holdMs).toBeLessThan(1_000);
          expect(() => sides[owner].prepare(set[owner]).run(1)).toThrow(/FENCED/);
          sides[to].prepare(set[to]).run(1000 + round);
          owner = to;
          expect((await call('GET', '/barrier/shop')).status).toBe(200);
          expect(await status()).toMatchObject({ owner: to, epoch: round + 2, moving: null });
          expect(sides.legacy.prepare('SELECT DISTINCT QTY FROM STOCK').pluck().all()).toEqual([
            1000 + round,
          ]);
          expect(
            sides.extracted.prepare('SELECT DISTINCT on_hand FROM levels').pluck().all(),
          ).toEqual([1000 + round]);
        }
        const { handovers } = (await call('GET', '/handovers')).body as { handovers: unknown[] };
        expect(handovers).toMatchObject([
          { to: 'extracted', epoch: 4, outcome: 'done', holdMs: expect.any(Number) },
          { to: 'legacy', epoch: 3, outcome: 'done' },
          { to: 'extracted', epoch: 2, outcome: 'done' },
        ]);
      }),
    ));

  it.each(dialectsOfRun)(
    'loses no acknowledged write on %s, however often ownership moves under writers',
    (dialect) =>
      withSidesOf(dialect, (sides) =>
        withEngine(sides, { gateLimits }, async (running) => {
          await beginCounting(sides);
          await prepare(running);
          const writer = keepWriting(sides);
          try {
            for (const to of ['extracted', 'legacy', 'extracted', 'legacy', 'extracted'] as const) {
              await eventually(async () => {
                expect(await running.call(...handOver(to))).toMatchObject({ status: 200 });
              });
              const soFar = await levelAt(sides, to);
              await eventually(async () => expect(await levelAt(sides, to)).toBeGreaterThan(soFar));
            }
          } finally {
            await writer.stop();
          }
          const acknowledged = await writer.stop();
          expect(acknowledged).toBeGreaterThan(50);
          expect(await levelAt(sides, 'extracted')).toBe(acknowledged);
          expect((await running.call('GET', '/barrier/shop')).status).toBe(200);
          expect(await levelAt(sides, 'legacy')).toBe(acknowledged);
        }),
      ),
  );

  it('does what the flag asks for as soon as it is safe, and says why not before', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        fill(sides);
        const { call, status, lines } = running;
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        await running.setFlags({ 'shop.writes': 100 });
        await eventually(() => expect(lines.join('')).toContain('not safe yet'));
        expect((await status()).intent).toMatchObject({
          to: 'extracted',
          refused: { gate: 'backfill', next: 'fig backfill shop' },
        });
        await call('POST', '/backfills', { capability: 'shop' });
        await eventually(async () => {
          expect((await status()).intent.refused).toMatchObject({ gate: 'reconcile' });
        });
        await call('POST', '/reconciles', { capability: 'shop' });
        await eventually(async () => expect((await status()).owner).toBe('extracted'));
        expect((await status()).intent).toMatchObject({ to: 'extracted', refused: null });
        await running.setFlags({ 'shop.writes': 0 });
        await eventually(async () => expect((await status()).owner).toBe('legacy'));
      }),
    ));

  it.each(dialectsOfRun)(
    'counts no heartbeat as lag on %s: neither after the first switch nor a pause',
    (dialect) =>
      withSidesOf(dialect, async (sides) => {
        const hour = 3_600_000;
        await withEngine(sides, { gateLimits }, async (running) => {
          await sides.legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 1, 0)`);
          await prepare(running);
          // As if it had been installed long ago.
          await sides.extracted.run(`UPDATE fig_feed_shop SET at = at - ${hour}`);
          expect(await running.call(...handOver('extracted'))).toMatchObject({ status: 200 });
          const { lag, wayBack } = await running.status();
          expect(lag).toEqual({ changes: 0, ms: 0 });
          expect(wayBack).toEqual({ safe: true });
          expect(await running.call(...handOver('legacy'))).toMatchObject({ status: 200 });
          expect(await running.call(...handOver('extracted'))).toMatchObject({ status: 200 });
          expect(running.lines.join('')).not.toContain('ROLLBACK UNSAFE');
        });
        await sides.extracted.run(`UPDATE fig_feed_shop SET at = at - ${hour}`);
        // Or the feed would be another one than legacy has followed.
        await sides.legacy.run('UPDATE fig_applied SET mark = NULL');
        await withEngine(sides, { gateLimits }, async ({ call, status, lines }) => {
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          expect((await status()).lag).toEqual({ changes: 0, ms: 0 });
          await sides.extracted.run(`UPDATE levels SET on_hand = 2 WHERE sku = 'a'`);
          await eventually(async () => expect((await status()).lag).toEqual({ changes: 0, ms: 0 }));
          expect(await call(...handOver('legacy'))).toMatchObject({ status: 200 });
          expect(lines.join('')).not.toContain('ROLLBACK UNSAFE');
        });
      }),
  );

  it('keeps the owner while the flag asks for nothing, also across a cold start', () =>
    withSides(async (sides) => {
      const flagsFile = flagsFileOf(sides);
      const write = (...features: object[]): Promise<void> =>
        writeFile(flagsFile, JSON.stringify({ version: 2, features }));
      const other = { name: 'shop.reads', enabled: false };
      const some = [{ name: 'flexibleRollout', parameters: { rollout: '50' } }];
      const none = [{ name: 'flexibleRollout', parameters: { rollout: '0' } }];
      await withEngine(sides, { gateLimits }, async (running) => {
        fill(sides);
        await prepare(running);
        expect(await running.call(...handOver('extracted'))).toMatchObject({ status: 200 });
        const { status } = running;
        await write({ name: 'shop.writes', enabled: true, strategies: some }, other);
        await eventually(async () =>
          expect((await status()).shares?.conditions.writes).toMatch(/on for some only \(50 %\)/),
        );
        await write(other);
        await eventually(async () => expect((await status()).shares?.conditions).toEqual({}));
        expect((await status()).shares?.writes).toBe(null);
        await writeFile(flagsFile, '');
        expect((await running.call('GET', '/readyz')).status).toBe(200);
        expect(await status()).toMatchObject({ owner: 'extracted', epoch: 2 });
      });
      await withEngine(sides, { gateLimits }, async ({ call, status, lines }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        expect(await call('GET', '/readyz')).toMatchObject({
          status: 503,
          body: { checks: { flags: expect.stringMatching(/it is empty; they were never read/) } },
        });
        expect(await status()).toMatchObject({ owner: 'extracted', epoch: 2, shares: null });
        await write({ name: 'shop.writes', enabled: true, strategies: some }, other);
        await eventually(() => expect(lines.join('')).toContain('a switch asks for nothing'));
        expect(await status()).toMatchObject({ owner: 'extracted', epoch: 2 });
        await write({ name: 'shop.writes', enabled: true, strategies: none }, other);
        await eventually(async () => expect((await status()).owner).toBe('legacy'));
      });
    }));

  it('takes a handover back that can not catch up, and spends the wish until it is turned', () =>
    withSides((sides) => {
      let locked = false;
      return withEngine(
        sides,
        {
          limits: { ...defaultLimits, closeMs: 200, applyMs: 300, troubleMs: 1_000 },
          onStep: (_capability, step) => {
            if (step !== 'hold' || locked) return;
            // After the gates: somebody keeps the target's write lock, nothing can be applied there.
            locked = true;
            sides.extracted.exec('BEGIN IMMEDIATE');
            sides.legacy.prepare('UPDATE STOCK SET QTY = 7').run();
          },
        },
        async (running) => {
          fill(sides);
          await prepare(running);
          const { call, status } = running;
          await running.setFlags({ 'shop.writes': 100 });
          await eventually(async () => expect((await status()).intent.spent).toMatch(/catch up/));
          sides.extracted.exec('ROLLBACK');
          expect(await status()).toMatchObject({ owner: 'legacy', epoch: 3 });
          sides.legacy.prepare('UPDATE STOCK SET QTY = 8').run();
          await running.setFlags({ 'shop.reads': 10 });
          await eventually(async () => expect((await status()).shares?.reads).toBe(10));
          expect((await status()).owner).toBe('legacy');
          expect((await call('GET', '/handovers')).body).toMatchObject({
            handovers: [
              { epoch: 2, outcome: 'aborted', reason: expect.stringMatching(/catch up/) },
            ],
          });
          await running.setFlags({ 'shop.writes': 0 });
          await eventually(async () => expect((await status()).intent.to).toBe('legacy'));
          await running.setFlags({ 'shop.writes': 100 });
          await eventually(async () => expect((await status()).owner).toBe('extracted'));
          expect((await status()).epoch).toBe(4);
        },
      );
    }));

  it('shows the steps of a handover without taking them', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        fill(sides);
        await prepare(running);
        const order = { capability: 'shop', to: 'extracted', dryRun: true };
        const { body } = await running.call('POST', '/handovers', order);
        const { gates, outcome } = body as { gates: { ok: boolean }[]; outcome: string };
        expect(outcome).toBe('planned');
        expect(gates.filter(({ ok }) => !ok)).toEqual([]);
        expect((body as { steps: string[] }).steps).toEqual([
          'tell the facades to hold new writes of shop',
          "move legacy's fence from open (1) to closed (2)",
          expect.stringMatching(/^record the last position of legacy's feed, \d+ at the moment$/),
          expect.stringMatching(/^wait until extracted has applied it, \d+ changes at the moment$/),
          "move legacy's fence from closed (2) to ceded (2): the commit point",
          "move extracted's fence from closed (0) to open (2)",
          'tell the facades who the owner is; held writes go there',
          'record the outcome: done',
        ]);
        expect(await running.status()).toMatchObject({ owner: 'legacy', epoch: 1 });
      }),
    ));

  it('needs no Redis, neither at its start nor later', () =>
    withSides((sides) =>
      withEngine(sides, { redisUrl: 'redis://127.0.0.1:9' }, async (running) => {
        fill(sides);
        await prepare(running);
        expect(await running.call(...handOver('extracted'))).toMatchObject({ status: 200 });
        sides.extracted.exec('UPDATE levels SET on_hand = 3');
        expect((await running.call('GET', '/barrier/shop')).status).toBe(200);
        expect(await running.status()).toMatchObject({ owner: 'extracted', transport: 'direct' });
        expect((await running.call('GET', '/routing')).body).toMatchObject({
          capabilities: [{ capability: 'shop', owner: 'extracted', epoch: 2, holding: false }],
        });
      }),
    ));

  it('stands by while another engine leads, and takes over when that is gone', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (first) => {
        await eventually(async () => expect((await first.status()).standing.as).toBe('leader'));
        await withEngine(sides, {}, async (second) => {
          await eventually(async () => expect((await second.status()).standing.as).toBe('standby'));
          expect(await second.call(...handOver('extracted'))).toMatchObject({
            status: 503,
            body: { code: 'engine_not_leading', standing: 'standby' },
          });
          expect((await second.call('GET', '/readyz')).status).toBe(200);
          // A command that asks it is led to the one that leads.
          const fig = await figFor(sides, second.url);
          expect(await fig('backfill shop')).toMatchObject({
            code: 0,
            stderr: expect.stringContaining(
              `the engine at ${second.url} stands by; asking the one that leads, at ${first.url}`,
            ),
          });
          await first.engine.close();
          await eventually(async () => expect((await second.status()).standing.as).toBe('leader'));
        });
      }),
    ));

  it('waits for a database that does not exist yet, and says so', () =>
    withSides(async (sides) => {
      const urls = { ...sides.urls, extracted: `${sides.urls.extracted}.later` };
      await withEngine({ ...sides, urls }, {}, async ({ call, status }) => {
        await eventually(async () => {
          const answer = await call('GET', '/readyz');
          expect(answer.status).toBe(503);
          expect(JSON.stringify(answer.body)).toContain("the extracted database can't be opened");
        });
        expect((await status()).standing.as).toBe('waiting');
        expect((await call('POST', '/backfills', { capability: 'shop' })).status).toBe(503);
        sides.extracted.prepare(`VACUUM INTO ?`).run(urls.extracted.slice('file:'.length));
        await eventually(async () => expect((await call('GET', '/readyz')).status).toBe(200));
      });
    }));

  it('raises the alarm when a restored backup makes two owners, and moves nothing', () =>
    withSides((sides) =>
      withEngine(sides, {}, async (running) => {
        fill(sides);
        await prepare(running);
        expect(await running.call(...handOver('extracted'))).toMatchObject({ status: 200 });
        // At the same epoch, neither is the older one.
        sides.legacy.exec("UPDATE fig_fence SET state = 'open', epoch = 2");
        await eventually(async () => {
          expect(await running.status()).toMatchObject({ stage: 'alarm', owner: null });
        });
        const answer = await running.call(...handOver('legacy'));
        expect(answer.status).toBeGreaterThanOrEqual(409);
        expect(JSON.stringify(answer.body)).toContain('both sides are open');
        await eventually(async () => {
          expect((await running.call('GET', '/routing')).body).toMatchObject({
            capabilities: [{ owner: null, holding: true }],
          });
        });
        await eventually(() =>
          expect(running.lines.join('')).toContain('has not exactly one owner'),
        );
        // It goes on leading, or nobody would be there to be asked: a lease taken anew has another token.
        const lease = sides.legacy.prepare('SELECT token, expires_at AS expiresAt FROM fig_lease');
        const before = lease.get() as { token: number; expiresAt: number };
        const isLater = { token: before.token, expiresAt: expect.any(Number) };
        await eventually(() => {
          const now = lease.get() as typeof before;
          expect(now).toEqual(isLater);
          return now.expiresAt > before.expiresAt + 2_500;
        });
      }),
    ));

  it('refuses what it does not understand', () =>
    withSides((sides) =>
      withEngine(sides, {}, async ({ call }) => {
        expect(await call('POST', '/handovers', { capability: 'shop', to: 'cloud' })).toMatchObject(
          {
            status: 400,
            body: { errors: [{ field: 'to' }] },
          },
        );
        expect(
          await call('POST', '/handovers', { capability: 'ship', to: 'legacy' }),
        ).toMatchObject({
          status: 404,
          body: { code: 'unknown_capability', detail: 'there is no ship; known are shop' },
        });
        expect((await call('GET', '/barrier/ship')).status).toBe(404);
      }),
    ));
});
