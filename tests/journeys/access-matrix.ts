import { expect } from '@jest/globals';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { OPERATIONS, OPERATIONS_V2 } from '../../contracts/index.ts';
import type { Operation } from '../../contracts/index.ts';
import { createOperator } from '../../rehearsal/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';
import type { Answer } from '../support/index.ts';

const SKU = 'SHIP-001';
const SCOPES = 'orders:write payments:write';
const items = [{ sku: SKU, quantity: 1 }];

/** Who asks, as options of `fig token`; nobody without any. Whose things are looked at is CORK. */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  nobody: [],
  owner: ['--customer', 'CORK', '--scope', SCOPES],
  'owner without scopes': ['--customer', 'CORK'],
  'another customer': ['--customer', 'BREST', '--scope', SCOPES],
  'a machine that owns nothing': ['--subject', 'robot', '--scope', SCOPES],
  staff: ['--subject', 'alice', '--role', 'staff', '--scope', SCOPES],
};

/** Things of CORK. */
interface Things {
  readonly order: string;
  readonly payment: string;
  readonly reservation: string;
}

/** How each operation is called about CORK's things. A new operation needs an entry to compile its matrix. */
const CALLS: Readonly<Record<string, (things: Things) => { path: string; body?: unknown }>> = {
  listProducts: () => ({ path: '/api/products' }),
  getProduct: () => ({ path: `/api/products/${SKU}` }),
  listInventory: () => ({ path: '/api/inventory' }),
  getInventory: () => ({ path: `/api/inventory/${SKU}` }),
  adjustInventory: () => ({
    path: `/api/inventory/${SKU}/adjustments`,
    body: { delta: 5, reason: 'count' },
  }),
  reserve: () => ({
    path: '/api/inventory/reservations',
    body: { orderId: `R-${Math.random()}`, items },
  }),
  getReservation: ({ reservation }) => ({ path: `/api/inventory/reservations/${reservation}` }),
  commitReservation: ({ reservation }) => ({
    path: `/api/inventory/reservations/${reservation}/commit`,
  }),
  releaseReservation: ({ reservation }) => ({
    path: `/api/inventory/reservations/${reservation}/release`,
  }),
  pay: ({ order }) => ({
    path: '/api/payments',
    body: { orderId: order, customerId: 'CORK', amount: 100, currency: 'USD', method: 'card_ok' },
  }),
  listPayments: ({ order }) => ({ path: `/api/payments?orderId=${order}` }),
  getPayment: ({ payment }) => ({ path: `/api/payments/${payment}` }),
  getPaymentHistory: ({ payment }) => ({ path: `/api/payments/${payment}/history` }),
  refund: ({ payment }) => ({ path: `/api/payments/${payment}/refunds`, body: { amount: 1 } }),
  placeOrder: () => ({
    path: '/api/orders',
    body: { customerId: 'CORK', items, paymentMethod: 'card_ok' },
  }),
  listOrders: () => ({ path: '/api/orders?customerId=CORK' }),
  getOrder: ({ order }) => ({ path: `/api/orders/${order}` }),
  getOrderHistory: ({ order }) => ({ path: `/api/orders/${order}/history` }),
  getShipment: ({ order }) => ({ path: `/api/orders/${order}/shipment` }),
  listCustomerOrders: () => ({ path: '/api/customers/CORK/orders' }),
  listOrderViews: () => ({ path: '/api/order-view' }),
  cancelOrder: ({ order }) => ({ path: `/api/orders/${order}/cancel` }),
};

/** What stands behind `/api` in the paths that an operation has: rules are the same for all of them. */
function versionsOf({ id }: Operation): readonly string[] {
  return OPERATIONS_V2.some((each) => each.id === id) ? ['', '/v1', '/v2'] : ['', '/v1'];
}

/** Operations about things that everybody may see, or nobody owns. */
const UNOWNED = new Set(['listProducts', 'getProduct', 'listInventory', 'getInventory']);

type Expected = 'allowed' | 'empty' | 401 | 403 | 404;

/** What a caller is to get of an operation; read off the contract, not off the answer. */
function expectedOf({ id, access, path }: Operation, caller: string): Expected {
  if (access === 'anyone') return 'allowed';
  if (caller === 'nobody') return 401;
  if (access !== 'any token') {
    const lacksScopes = (access.scopes ?? []).length > 0 && caller === 'owner without scopes';
    const lacksRole = (access.roles ?? []).length > 0 && caller !== 'staff';
    if (lacksScopes || lacksRole) return 403;
  }
  if (UNOWNED.has(id) || caller === 'staff' || caller.startsWith('owner')) return 'allowed';
  return id.startsWith('list') && path.startsWith('/api/') ? 'empty' : 404;
}

/** A system whose callers are known. */
export interface Guarded {
  /** Moves a capability with the command line. */
  fig(...words: string[]): Promise<void>;
  /** Tries every operation as every caller. @returns what was not as the contract says */
  faults(): Promise<readonly string[]>;
  /** Asks the servers behind the facade directly. @returns what was not refused */
  directFaults(): Promise<readonly string[]>;
}

/** @param system started with FIG_AUTH=on */
export async function guarded(system: System): Promise<Guarded> {
  const operator = createOperator({ ...process.env, ...system.env });
  const facade = system.urls['facade'] ?? '';
  const tokens: Record<string, string | undefined> = {};
  for (const [caller, options] of Object.entries(CALLERS)) {
    if (options.length === 0) continue;
    const made = await operator('token', ...options);
    expect(made).toMatchObject({ code: 0 });
    tokens[caller] = (made.output as { token: string }).token;
  }
  const call = (
    caller: string,
    operation: string,
    things: Things,
    version = '',
  ): Promise<Answer> => {
    const { method } = OPERATIONS.find(({ id }) => id === operation) as Operation;
    const { path, body } = (CALLS[operation] as (typeof CALLS)[string])(things);
    const token = tokens[caller];
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const url = facade + path.replace('/api', `/api${version}`);
    return request(method, url, { body, headers, timeoutMs: 30_000 });
  };
  const none: Things = { order: 'none', payment: 'none', reservation: 'none' };

  async function thingsOfCork(): Promise<Things> {
    const placed = await call('owner', 'placeOrder', none);
    expect([placed.status, placed.body]).toMatchObject([201, { status: 'confirmed' }]);
    const reserved = await call('staff', 'reserve', none);
    expect(reserved).toMatchObject({ status: 201 });
    const { id: order, paymentId: payment } = placed.body as { id: string; paymentId: string };
    // It follows from the order's event.
    await eventually(async () => {
      const shipment = await call('owner', 'getShipment', { ...none, order });
      return shipment.status === 200;
    });
    await eventually(async () => {
      const { body } = await call('owner', 'listCustomerOrders', none);
      return ((body as { items?: readonly unknown[] }).items?.length ?? 0) > 0;
    });
    return { order, payment, reservation: (reserved.body as { id: string }).id };
  }

  /** The whole of an order: shown to those who may see the order, its reservation with it. */
  async function detailFaults(things: Things): Promise<string[]> {
    const found: string[] = [];
    for (const caller of Object.keys(CALLERS)) {
      const token = tokens[caller];
      const { status, body } = await request<{ parts?: Record<string, { status: number }> }>(
        'GET',
        `${facade}/api/v1/orders/${things.order}/details`,
        { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } },
      );
      const isAllowed = caller === 'staff' || caller.startsWith('owner');
      const expected = isAllowed ? 200 : caller === 'nobody' ? 401 : 404;
      const parts = Object.values(body.parts ?? {}).map((part) => part.status);
      if (status !== expected || parts.join() !== (isAllowed ? '200,200,200,200' : '')) {
        found.push(`the order's details as ${caller}: ${status} [${parts.join()}]`);
      }
    }
    return found;
  }

  async function faultOf(
    caller: string,
    operation: Operation,
    things: Things,
    version: string,
  ): Promise<string[]> {
    const expected = expectedOf(operation, caller);
    const { status, body, headers } = await call(caller, operation.id, things, version);
    const count = (body as { items?: readonly unknown[] }).items?.length;
    const got =
      status < 300 && count === 0
        ? 'empty'
        : [401, 403, 404].includes(status)
          ? status
          : status < 500
            ? 'allowed'
            : `${status} ${JSON.stringify(body)}`;
    const challenge = headers['www-authenticate'] !== undefined;
    const isRight = got === expected && challenge === (status === 401 || status === 403);
    const name = `${operation.id} ${version} as ${caller}`;
    return isRight ? [] : [`${name}: ${got}, expected ${expected}`];
  }

  return {
    async fig(...words) {
      expect([words, await operator(...words)]).toMatchObject([words, { code: 0 }]);
    },
    async faults() {
      const found: string[] = [];
      const things = await thingsOfCork();
      found.push(...(await detailFaults(things)));
      // In the contract's order, callers who may last: what they change is not to hide a refusal.
      for (const operation of OPERATIONS) {
        for (const caller of Object.keys(CALLERS)) {
          for (const version of versionsOf(operation)) {
            found.push(...(await faultOf(caller, operation, things, version)));
          }
        }
      }
      return found;
    },
    async directFaults() {
      const found: string[] = [];
      const key = createPrivateKey(await readFile(join(system.dataDir, 'identity-key.pem')));
      const { privateKey: stranger } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const proof = (by: KeyObject, audience: string): Promise<string> =>
        new SignJWT({ sub: 'CORK', customer: 'CORK', roles: [], scope: SCOPES })
          .setProtectedHeader({ alg: 'ES256' })
          .setIssuer('fig')
          .setAudience(audience)
          .setExpirationTime('1m')
          .sign(by);
      for (const name of ['monolith', 'inventory', 'payment']) {
        const path = name === 'inventory' ? '/api/inventory' : '/api/payments?orderId=none';
        const other = name === 'monolith' ? 'payment' : 'monolith';
        const cases: Record<string, [expected: number, headers: Record<string, string>]> = {
          'nothing said': [401, {}],
          'a customer’s name': [401, { 'x-customer-id': 'CORK' }],
          'a customer’s token': [401, { authorization: `Bearer ${tokens['owner']}` }],
          'an identity of a stranger': [401, { 'fig-identity': await proof(stranger, name) }],
          'an identity for another server': [401, { 'fig-identity': await proof(key, other) }],
          'an identity of the facade': [200, { 'fig-identity': await proof(key, name) }],
        };
        for (const [what, [expected, headers]] of Object.entries(cases)) {
          const { status } = await request('GET', system.urls[name] + path, { headers });
          if (status !== expected) found.push(`${name}, ${what}: ${status}, expected ${expected}`);
        }
      }
      return found;
    },
  };
}
