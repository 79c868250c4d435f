import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { SMTPServer } from 'smtp-server';
import { createLog, LOOPBACK_ONLY, tokenIn } from '../../chassis/index.ts';
import { startEvents } from '../../monolith/index.ts';
import { eventually, request, withRedis } from '../support/index.ts';
import { openShop } from '../support/shop.ts';
import type { Shop } from '../support/shop.ts';
import { ServiceProcess } from './service-process.ts';

const OPERATOR = 'an-operators-token-of-this-test';

interface Mail {
  readonly to: string;
  readonly id: string;
  readonly subject: string;
}

/** A mail server that keeps what it gets, and refuses some addresses for good. */
class Postbox {
  readonly mails: Mail[] = [];
  readonly refused = new Set<string>();
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, answer) => {
      if (!this.refused.has(address)) return answer();
      return answer(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
    },
    onData: (stream, { envelope }, answer) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'mi').exec(text)?.[1] ?? '';
        const to = envelope.rcptTo.map(({ address }) => address).join();
        this.mails.push({ to, id: header('Message-ID'), subject: header('Subject') });
        answer();
      });
    },
  });

  async open(): Promise<string> {
    const listening = once(this.#server.server, 'listening');
    this.#server.listen(0, '127.0.0.1');
    await listening;
    const { port } = this.#server.server.address() as { port: number };
    return `smtp://127.0.0.1:${port}`;
  }

  about(orderId: string): string[] {
    return this.mails
      .filter(({ subject }) => subject.includes(orderId))
      .map(({ subject }) => subject);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve));
  }
}

describe('an order that nobody conducts', () => {
  const postbox = new Postbox();
  let folder: string;
  let shop: Shop;
  let redisUrl: string;
  let smtpUrl: string;
  const service = new ServiceProcess('notification');
  let closeRedis: () => void;
  let redisDone: Promise<void>;
  let stopEvents: () => Promise<void>;

  const startService = (env: Record<string, string> = {}) =>
    service.start({ FIG_DATA_DIR: folder, REDIS_URL: redisUrl, ...env });
  const withMail = () => ({
    SMTP_URL: smtpUrl,
    SMTP_FROM: 'shop@shop.example',
    SMTP_TO: '{customer}@customers.example',
    // A killed process has its message for twice as long.
    SMTP_TIMEOUT_MS: '1000',
  });
  const operator = { headers: { authorization: `Bearer ${OPERATOR}` } };
  /** What the service has stored, by template. */
  function stored(orderId: string): { template: string; state: string }[] {
    const database = new Database(join(folder, 'notification.db'), { readonly: true });
    try {
      return database
        .prepare('SELECT template, state FROM messages WHERE order_id = ? ORDER BY created_at')
        .all(orderId) as { template: string; state: string }[];
    } finally {
      database.close();
    }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fig-choreography-'));
    writeFileSync(join(folder, 'token'), OPERATOR, { mode: 0o600 });
    smtpUrl = await postbox.open();
    shop = await openShop({ timing: { shipAfterMs: 1_500 } });
    await new Promise<void>((started, failed) => {
      redisDone = withRedis(async ({ url }) => {
        redisUrl = url;
        started();
        await new Promise<void>((resolve) => (closeRedis = resolve));
      });
      redisDone.catch(failed);
    });
    stopEvents = await startEvents({
      database: shop.database,
      redisUrl,
      access: { ...LOOPBACK_ONLY, token: tokenIn(join(folder, 'token')) },
      log: createLog('events', 'silent'),
      resendMs: 500,
    });
    await startService(withMail());
  });

  afterAll(async () => {
    await service.end('SIGTERM');
    await stopEvents();
    closeRedis();
    await redisDone;
    await shop.close();
    await postbox.close();
    await rm(folder, { recursive: true, force: true });
  });

  const place = async (customerId = 'ALICE'): Promise<string> => {
    const body = { customerId, items: [{ sku: 'A', quantity: 1 }], paymentMethod: 'card_ok' };
    const placed = await shop.post('/api/orders', body);
    expect(placed.status).toBe(201);
    return placed.body.id as string;
  };
  const shipment = async (orderId: string) =>
    (await shop.get(`/api/orders/${orderId}/shipment`)).body as { status: string };

  it('is confirmed, shipped and told of, in that order', async () => {
    const id = await place();
    await eventually(() =>
      expect(postbox.about(id)).toEqual([`Order ${id} is confirmed`, `Order ${id} is on its way`]),
    );
    expect(await shipment(id)).toMatchObject({ status: 'shipped', shippedAt: expect.any(String) });
    expect(postbox.mails.find(({ subject }) => subject.includes(id))?.to).toBe(
      'ALICE@customers.example',
    );
  });

  it('is not shipped when it is cancelled in time', async () => {
    const id = await place();
    expect((await shop.post(`/api/orders/${id}/cancel`)).status).toBe(200);
    await eventually(async () => expect((await shipment(id)).status).toBe('called_off'));
    const later = await place();
    await eventually(async () => expect((await shipment(later)).status).toBe('shipped'));
    await eventually(() =>
      expect(postbox.about(id)).toEqual([`Order ${id} is confirmed`, `Order ${id} is cancelled`]),
    );
    expect((await shipment(id)).status).toBe('called_off');
  });

  it('is told of once where the service is killed meanwhile', async () => {
    const placing = Promise.all(Array.from({ length: 6 }, () => place()));
    await service.end('SIGKILL');
    const ids = await placing;
    await startService(withMail());
    const more = await place();
    await service.end('SIGKILL');
    await startService(withMail());
    for (const id of [...ids, more]) {
      await eventually(
        () =>
          expect(stored(id)).toEqual([
            { template: 'OrderConfirmed', state: 'sent' },
            { template: 'Shipped', state: 'sent' },
          ]),
        { timeoutMs: 20_000 },
      );
    }
    // A mail that a crash came after may be sent again, under the same id.
    const confirmed = postbox.mails.filter(
      ({ subject }) => subject === `Order ${more} is confirmed`,
    );
    expect(new Set(confirmed.map(({ id }) => id)).size).toBe(1);
  });

  it('leaves a dead letter for an address that is refused, which can be tried again', async () => {
    postbox.refused.add('BOB@customers.example');
    const id = await place('BOB');
    const letter = await eventually(async () => {
      const { body } = await request<{ deadLetters: { id: string; what: string }[] }>(
        'GET',
        `${service.url}/dead-letters?kind=message`,
        operator,
      );
      const found = body.deadLetters.find(({ what }) => what === `OrderConfirmed of order ${id}`);
      expect(found).toMatchObject({ reason: expect.stringContaining('no such mailbox') });
      return found;
    });
    postbox.refused.clear();
    const url = `${service.url}/dead-letters/message/${letter?.id}/retry`;
    expect((await request('POST', url, operator)).status).toBe(200);
    await eventually(() => expect(postbox.about(id)).toContain(`Order ${id} is confirmed`));
  });

  it('is recorded where no mail server is configured', async () => {
    await service.end('SIGTERM');
    const sent = postbox.mails.length;
    await startService();
    const id = await place();
    await eventually(() =>
      expect(stored(id)).toContainEqual({ template: 'OrderConfirmed', state: 'recorded' }),
    );
    expect(postbox.mails.length).toBe(sent);
    const { body } = await request<string>('GET', `${service.url}/metrics`);
    expect(body).toMatch(/^fig_messages\{state="recorded"\} [1-9]/m);
  });
});
