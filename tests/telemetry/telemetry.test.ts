import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, openSystem, request, temporaryPostgresDatabase } from '../support/index.ts';
import { itInSoak } from '../support/it-in-soak.ts';
import { fig } from '../system/fig-commands.ts';
import { auditOf } from './audit.ts';
import { openReceiver, treeOf } from './otlp-receiver.ts';
import type { OtlpReceiver, ReceivedSpan } from './otlp-receiver.ts';

/** Values that belong to a client alone, as they stand in its requests. */
const MARKERS = {
  email: 'marked.person@example.test',
  bearer: 'eyJmarked.bearer.token0123456789',
  cookie: 'marked-session-cookie-0123456789',
  card: 'card_marked_4000056655665556',
};

let receiver: OtlpReceiver;
let opened: Awaited<ReturnType<typeof openSystem>>;
let payments: Awaited<ReturnType<typeof temporaryPostgresDatabase>>;
let sku: string;

beforeAll(async () => {
  receiver = await openReceiver();
  payments = await temporaryPostgresDatabase();
  opened = await openSystem({
    variables: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      // Whoever does not say is not recorded.
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
      // Its address holds a password.
      PAYMENT_DATABASE_URL: payments.url,
    },
  });
  const { body } = await request<{ items: { sku: string }[] }>('GET', `${facade()}/api/products`);
  sku = body.items[0]?.sku ?? '';
  const restocked = await request('POST', `${facade()}/api/inventory/${sku}/adjustments`, {
    body: { delta: 100_000, reason: 'restocked' },
  });
  expect(restocked.status).toBe(201);
}, 180_000);
afterAll(async () => {
  await opened.close();
  await payments.drop();
  await receiver.close();
});

const system = (): System => opened.system;
const facade = (): string => system().urls['facade'] ?? '';

/** What a client sends of its own trace. */
function clientTrace(sampled: boolean) {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` };
}

function placeOrder(traceparent: string, more: Readonly<Record<string, string>> = {}) {
  const customerId = 'ARENDAL';
  return request<{ id: string; status: string }>('POST', `${facade()}/api/orders`, {
    headers: { traceparent, 'x-customer-id': customerId, ...more },
    body: { customerId, items: [{ sku, quantity: 1 }], paymentMethod: 'card_ok' },
    timeoutMs: 30_000,
  });
}

/** Runs commands of the CLI, each of which must succeed. */
async function operate(...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    // A gate may be closed for a moment, as by lag under load.
    await eventually(async () => {
      const { code, stderr } = await fig(system(), line);
      expect([line, code, code === 0 ? '' : stderr]).toEqual([line, 0, '']);
    });
  }
}

/** The span of this name; its parents must be as they are given, from the nearest one on. */
function spanUnder(
  spans: readonly ReceivedSpan[],
  name: string,
  ...parents: readonly string[]
): ReceivedSpan {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const found = spans.find((span) => {
    if (span.name !== name) return false;
    let at: ReceivedSpan | undefined = span;
    return parents.every((parent) => {
      at = byId.get(at?.parentSpanId ?? '');
      return at?.name === parent;
    });
  });
  if (!found)
    throw new Error(`there is no ${[name, ...parents].join(' under ')} in\n${treeOf(spans)}`);
  return found;
}

const ORDER = ['POST /api/orders', 'POST /api/orders'];

describe('traces', () => {
  beforeAll(async () => {
    await operate(
      'backfill payment',
      'backfill inventory',
      'reconcile payment',
      'reconcile inventory',
      'switch payment --yes',
      'switch inventory --yes',
    );
  }, 120_000);

  it("show an order's way from its client to the subscribers and the card processor", async () => {
    const { traceId, spanId, traceparent } = clientTrace(true);
    const answer = await placeOrder(traceparent);
    expect([answer.status, answer.body.status]).toEqual([201, 'confirmed']);
    expect(answer.headers['traceparent']).toContain(traceId);
    const spans = await eventually(() => {
      const all = receiver.of(traceId);
      spanUnder(all, 'process OrderConfirmed shipping', 'publish OrderConfirmed');
      expect(all.filter(({ kind }) => kind === 'consumer').length).toBeGreaterThanOrEqual(2);
      spanUnder(all, 'saga place commit', ...ORDER);
      return all;
    });
    process.stdout.write(`\none order's trace:\n${treeOf(spans)}\n`);

    const first = spanUnder(spans, 'POST /api/orders');
    expect(spans.filter(({ parentSpanId }) => parentSpanId === spanId)).toEqual([
      expect.objectContaining({ service: 'facade', kind: 'server' }),
    ]);
    expect(first.attributes).toMatchObject({ 'http.response.status_code': 201 });
    for (const step of ['reserve', 'charge', 'commit']) {
      spanUnder(spans, `saga place ${step}`, ...ORDER);
    }
    const reserve = spanUnder(
      spans,
      'POST /api/inventory/reservations',
      'POST',
      'saga place reserve',
    );
    expect(reserve.service).toBe('inventory');
    const pay = spanUnder(spans, 'POST /api/payments', 'POST', 'saga place charge', ...ORDER);
    expect(pay.service).toBe('payment');
    const charge = spanUnder(spans, 'POST /charges', 'POST', 'POST /api/payments');
    expect(charge.service).toBe('provider');
    const send = spanUnder(spans, 'send OrderConfirmed shipping', 'publish OrderConfirmed');
    expect(send).toMatchObject({ kind: 'producer', service: 'monolith' });
    const publish = spanUnder(spans, 'publish OrderPlaced', ...ORDER);
    expect(publish.kind).toBe('producer');
    // Each span but the client's own has its parent in the trace.
    const known = new Set([spanId, ...spans.map((span) => span.spanId)]);
    expect(spans.filter((span) => !known.has(span.parentSpanId ?? ''))).toEqual([]);
  }, 60_000);

  it('hold nothing of a request whose caller does not record it, and continue its trace all the same', async () => {
    const { traceId, traceparent } = clientTrace(false);
    const answer = await placeOrder(traceparent);
    expect(answer.status).toBe(201);
    expect(answer.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    // What follows is recorded, and has come: nothing of the one before it is still on its way.
    const after = clientTrace(true);
    await placeOrder(after.traceparent);
    await eventually(() => {
      spanUnder(receiver.of(after.traceId), 'process OrderConfirmed shipping');
    });
    expect(receiver.of(traceId)).toEqual([]);
    const untraced = await request('GET', `${facade()}/api/orders?customerId=ARENDAL`);
    expect(untraced.headers['traceparent']).toMatch(/-00$/);
  }, 60_000);

  itInSoak(
    'say on the order that a handover held it, and for how long',
    async () => {
      const held = (): readonly ReceivedSpan[] =>
        receiver.spans.filter(({ attributes }) => attributes['fig.held_ms'] !== undefined);
      let going = true;
      const statuses = new Set<number>();
      const orders = Array.from({ length: 8 }, async () => {
        while (going) statuses.add((await placeOrder(clientTrace(true).traceparent)).status);
      });
      try {
        for (const verb of ['reverse', 'switch', 'reverse', 'switch']) {
          if (held().length > 0 && verb === 'reverse') break;
          await operate(`${verb} payment --yes`);
        }
      } finally {
        going = false;
        await Promise.all(orders);
      }
      expect([...statuses]).toEqual([201]);
      const [span] = await eventually(() => {
        expect(held()).not.toEqual([]);
        return held();
      });
      expect(span?.events.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['held', 'sent']),
      );
      expect(span?.attributes).toMatchObject({ 'fig.capability': expect.stringMatching(/./) });
    },
    120_000,
  );

  itInSoak(
    "go on where a process died: the order's saga is continued in its trace",
    async () => {
      const { traceId, traceparent } = clientTrace(true);
      system().pause('provider');
      const asked = placeOrder(traceparent).catch(() => undefined);
      await eventually(() => {
        spanUnder(receiver.of(traceId), 'saga place reserve');
      });
      const before = receiver.of(traceId).find(({ service }) => service === 'monolith');
      await system().kill('monolith');
      system().resume('provider');
      await asked;
      const spans = await eventually(
        () => {
          const all = receiver.of(traceId);
          const confirmed = ['publish OrderConfirmed', 'saga place resumed'];
          spanUnder(all, 'process OrderConfirmed shipping', ...confirmed);
          spanUnder(all, 'saga place charge', 'saga place resumed');
          return all;
        },
        { timeoutMs: 30_000 },
      );
      const charge = spans.findLast(({ name }) => name === 'saga place charge');
      expect(charge?.instance).toMatch(/^monolith-/);
      expect(charge?.instance).not.toBe(before?.instance);
    },
    120_000,
  );
});

auditOf(system);

describe('what a process tells of itself', () => {
  it('holds no secret, token, card or personal data', async () => {
    const { url } = payments;
    const secrets = {
      ...MARKERS,
      operator: asOperator(system())['authorization']?.replace(/^Bearer /i, '') ?? '',
      payment: new URL(url).password,
      redis: new URL(system().redisUrl).password,
    };
    const headers = {
      authorization: `Bearer ${MARKERS.bearer}`,
      cookie: `session=${MARKERS.cookie}`,
      'x-customer-id': MARKERS.email,
    };
    const order = { items: [{ sku, quantity: 1 }], paymentMethod: MARKERS.card };
    const bodies: readonly unknown[] = [
      { customerId: MARKERS.email, ...order },
      { customerId: 'ARENDAL', ...order },
      { customerId: 'ARENDAL', ...order, items: [{ sku: MARKERS.email, quantity: -1 }] },
    ];
    const { traceId, traceparent } = clientTrace(true);
    const placeAll = async (): Promise<void> => {
      for (const body of bodies) {
        await request('POST', `${facade()}/api/orders`, {
          headers: { traceparent, ...headers },
          body,
          timeoutMs: 20_000,
        });
      }
      const options = { headers: { traceparent, ...headers } };
      const email = encodeURIComponent(MARKERS.email);
      await request('GET', `${facade()}/api/orders?customerId=${email}`, options);
      await request('GET', `${facade()}/api/payments/${MARKERS.card}`, options);
      await request('GET', `${facade()}/${email}?token=${MARKERS.bearer}`, options);
      await request('POST', `${facade()}/api/orders`, {
        ...options,
        text: `{"paymentMethod":"${MARKERS.card}","email":"${MARKERS.email}`,
      });
    };
    await placeAll();
    // Failures say more than success does.
    system().pause('monolith');
    await request('GET', `${facade()}/api/orders/${MARKERS.card}`, {
      headers: { traceparent, ...headers },
      timeoutMs: 1_000,
    }).catch(() => undefined);
    system().resume('monolith');
    await system().kill('payment');
    await placeAll();
    await system().ready();
    await eventually(() => expect(receiver.of(traceId).length).toBeGreaterThan(10));

    const logs = join(system().dataDir, 'logs');
    const trail = readFileSync(join(system().dataDir, 'audit.jsonl'), 'utf8');
    const told: Record<string, string> = { traces: receiver.text(), audit: trail };
    for (const file of readdirSync(logs)) told[file] = readFileSync(join(logs, file), 'utf8');
    for (const name of [
      'facade',
      'admin',
      'monolith',
      'inventory',
      'payment',
      'engine',
      'provider',
    ]) {
      const answer = await request<string>('GET', `${system().urls[name]}/metrics`, {
        headers: name === 'engine' || name === 'admin' ? asOperator(system()) : {},
      });
      told[`metrics of ${name}`] = answer.body;
    }
    expect(told['metrics of monolith']).toContain('fig_http_request_duration_seconds');
    expect(told['engine.log']).toMatch(/"traceId":"\w+","spanId":"\w+"/);
    const found = Object.entries(told).flatMap(([where, text]) =>
      Object.entries(secrets).flatMap(([what, value]) => {
        expect(value.length).toBeGreaterThan(8);
        const at = text.indexOf(value);
        return at === -1
          ? []
          : [`${what} in ${where}: ${text.slice(Math.max(0, at - 200), at + 60)}`];
      }),
    );
    expect(found).toEqual([]);
  }, 120_000);
});
