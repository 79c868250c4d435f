import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { createExpressServer, listen } from '../../chassis/index.ts';
import type { Listening } from '../../chassis/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { dialectsOfRun, eventually, setFence, withTempDir } from '../../tests/support/index.ts';
import { openShop } from '../../tests/support/shop.ts';
import type { Shop } from '../../tests/support/shop.ts';
import { runShop } from './run.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(line: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await runShop(line.split(' ').filter(Boolean), monolithMigrations, {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env,
  });
  return { code, stdout, stderr };
}

const NO_ACCOUNT = { status: 422, body: { code: 'no_such_account' } };
const NOT_FOUND = { status: 404, body: { code: 'not_found' } };

describe.each(dialectsOfRun)('shop, of a monolith on %s', (dialect) => {
  /** What a payment service that owns payment answers to every charge, and to every refund. */
  let charges: { status: number; body: object };
  let refunds: { status: number; body: object };
  let asked: string[];
  let server: Listening;
  let shop: Shop;
  const sh = (line: string): Promise<Ran> =>
    run(line, { MONOLITH_DATABASE_URL: shop.database.url });

  beforeEach(async () => {
    [charges, refunds, asked] = [NO_ACCOUNT, NOT_FOUND, []];
    const app = express().use((req, res) => {
      asked.push(req.path);
      const { status, body } = req.path.endsWith('/refunds') ? refunds : charges;
      res.status(status).json(body);
    });
    const options = { port: 0, host: '127.0.0.1', variable: 'PORT' };
    server = await listen(createExpressServer(app), options);
    shop = await openShop({
      dialect,
      paymentUrl: `http://127.0.0.1:${server.port}`,
      timing: { stepBackoffMs: 5, orderPatienceMs: 5_000, stepGiveUpMs: 0 },
    });
    await setFence(shop.database, 'payment', 'ceded', 2);
  });

  afterEach(async () => {
    await shop.close();
    await server.close(0);
  });

  /** An order whose charge is refused for good. @returns its saga */
  async function stuckOrder(): Promise<string> {
    const { status, body } = await shop.post('/api/orders', {
      customerId: 'ALICE',
      items: [{ sku: 'A', quantity: 3 }],
      paymentMethod: 'card_ok',
    });
    expect([status, body.code]).toEqual([503, 'order_stuck']);
    return `place:${body.orderId}`;
  }

  const endsAs = (saga: string, status: string) =>
    eventually(async () => {
      const { body } = await shop.get(`/api/orders/${saga.slice('place:'.length)}`);
      expect(body.status).toBe(status);
    });

  it('lists what is stuck and tells what has happened, without secrets', async () => {
    expect(await sh('sagas')).toEqual({ code: 0, stdout: 'no saga is under way\n', stderr: '' });
    const id = await stuckOrder();
    const { stdout } = await sh('sagas list');
    expect(stdout).toMatch(/^place:\S+  stuck  charge  attempt 11  .*  charge was answered 422 /);
    expect(stdout).toMatch(`next: shop sagas show ${id}\n`);
    const shown = await sh(`sagas show ${id}`);
    expect(shown.stdout).toMatch(/reserve +done/);
    expect(shown.stdout).toMatch(/charge +failed 10 times/);
    expect(shown.stdout).not.toMatch(/card_ok/);
    const { sagas, next_steps: next } = JSON.parse((await sh('sagas list --json')).stdout);
    expect(sagas).toMatchObject([{ id, state: 'stuck', step: 'charge', version: 1, lease: null }]);
    expect(next).toMatchObject([{ command: `shop sagas show ${id}` }]);
    const { saga } = JSON.parse((await sh(`sagas show ${id} --json`)).stdout);
    expect(saga.history.map(({ step, result, times }: never) => [step, result, times])).toEqual([
      ['reserve', 'done', 1],
      ['charge', 'failed', 10],
    ]);
    expect((await sh('sagas list --state completed')).stdout).toBe('no saga is completed\n');
    expect((await shop.get('/readyz')).status).toBe(200);
  });

  it('has the running monolith take a step again', async () => {
    const ids = [await stuckOrder(), await stuckOrder()];
    charges = { status: 201, body: { id: 'pay-1' } };
    const [first = '', second = ''] = ids;
    expect(await sh(`sagas retry ${first} --yes`)).toMatchObject({ code: 0 });
    await endsAs(first, 'confirmed');
    expect((await sh('sagas retry --all --yes --reason mended')).stdout).toMatch(second);
    await endsAs(second, 'confirmed');
    expect((await sh('sagas retry --all --yes')).stdout).toBe('no saga is stuck\n');
    expect((await sh(`sagas show ${second}`)).stdout).toMatch(/charge +retried .* mended/);
  });

  it('takes an order back, and asks for a refund of a charge that no one knows of', async () => {
    const id = await stuckOrder();
    asked = [];
    expect(await sh(`sagas compensate ${id} --yes`)).toMatchObject({ code: 0 });
    await endsAs(id, 'rejected');
    expect(asked).toEqual([expect.stringMatching(/^\/api\/payments\/[0-9a-f-]{36}\/refunds$/)]);
    expect(await shop.stockOf('A')).toMatchObject({ onHand: 100, reserved: 0 });
    const other = await stuckOrder();
    // It was charged all the same: once it is settled, it is paid back.
    refunds = { status: 409, body: { code: 'payment_not_captured' } };
    charges = { status: 503, body: { code: 'payment_pending' } };
    asked = [];
    expect(await sh(`sagas compensate ${other} --yes`)).toMatchObject({ code: 0 });
    await eventually(() => expect(asked.length).toBeGreaterThan(4));
    charges = { status: 402, body: { code: 'payment_declined' } };
    await endsAs(other, 'rejected');
  });

  it('goes on as the operator says that it was', async () => {
    const [done, refused] = [await stuckOrder(), await stuckOrder()];
    expect(await sh(`sagas resolve ${done} --as done --yes`)).toMatchObject({ code: 0 });
    await endsAs(done, 'confirmed');
    expect(await sh(`sagas resolve ${refused} --as refused --yes`)).toMatchObject({ code: 0 });
    await endsAs(refused, 'rejected');
    expect(await shop.stockOf('A')).toMatchObject({ onHand: 97, reserved: 0 });
  });

  it('changes nothing without an answer, nor where it makes no sense', async () => {
    const id = await stuckOrder();
    for (const line of [
      `sagas retry ${id}`,
      'sagas retry --all',
      `sagas compensate ${id}`,
      `sagas resolve ${id} --as done`,
    ]) {
      const { code, stderr } = await sh(line);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/nothing was changed\nnext: shop /),
      ]);
    }
    expect((await sh('sagas list')).stdout).toMatch(/stuck/);
    expect(await sh('sagas compensate nothing --yes')).toMatchObject({
      code: 2,
      stderr: 'error: there is no saga nothing\nnext: shop sagas list\n',
    });
    charges = { status: 201, body: { id: 'pay-1' } };
    await sh(`sagas retry ${id} --yes`);
    await endsAs(id, 'confirmed');
    const late = await sh(`sagas compensate ${id} --yes --json`);
    expect(late.code).toBe(3);
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: 'saga_not_stuck' } });
    for (const line of ['sagas retry', `sagas retry ${id} --all`, `sagas resolve ${id}`, 'saga']) {
      expect([line, (await sh(line)).code]).toEqual([line, 2]);
    }
  });
});

describe('shop', () => {
  it('names what is missing where there is no database, and makes none', () =>
    withTempDir(async (folder) => {
      const { code, stderr } = await run('sagas', { FIG_DATA_DIR: folder });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/there is no database .*monolith\.db/),
      ]);
      expect((await run('sagas', { FIG_DATA_DIR: folder })).stderr).toBe(stderr);
    }));
});
