import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { defineConfig } from '../../routing/index.ts';
import { compileRoutes } from '../match/index.ts';
import type { KeyOwnership } from '../ownership/index.ts';
import { route } from './route.ts';
import type { Progress, Refusal, Route, RoutingSnapshot } from './route.ts';

const databases = { legacy: 'file:a', extracted: 'file:b' };
const routes = compileRoutes(
  defineConfig({
    upstreams: { monolith: 'http://127.0.0.1:1', service: 'http://127.0.0.1:2' },
    monolith: 'monolith',
    capabilities: {
      stock: {
        legacy: 'monolith',
        extracted: 'service',
        routes: ['/api/stock', '/api/stock/*'],
        databases,
      },
      payment: { legacy: 'monolith', extracted: 'service', routes: ['/api/payment'], databases },
      tenants: {
        legacy: 'monolith',
        extracted: 'service',
        routes: ['/tenants/*'],
        databases,
        cohorts: { header: 'x-tenant' },
      },
      pages: { legacy: 'monolith', extracted: 'service', routes: ['/pages/*'] },
    },
    touches: [
      { method: 'POST', path: '/api/orders', capabilities: ['stock', 'payment'] },
      { method: 'POST', path: '/api/stock/:id/sell', capabilities: ['pages'] },
    ],
  }),
);

/** What the facade knows; what is left out is as in `CALM`. */
interface World extends Pick<KeyOwnership, 'owner' | 'replicaReady' | 'holding' | 'known'> {
  /** Whether the flags ask for reads of the extracted side, and for comparisons. */
  reads: boolean;
  shadow: boolean;
  settled: boolean;
  pushed: boolean;
  version: number;
  certain: boolean;
  /** Keys that have moved to the extracted side; of another owner than all others. */
  moved: readonly string[];
  /** Capabilities whose handover has begun. */
  moving: readonly string[];
}

const CALM: World = {
  owner: 'legacy',
  replicaReady: true,
  holding: false,
  known: true,
  reads: false,
  shadow: false,
  settled: true,
  pushed: true,
  version: 7,
  certain: false,
  moved: [],
  moving: [],
};

function snapshotOf(world: World): RoutingSnapshot {
  const { owner, replicaReady, known, certain, moved } = world;
  const ofKey: RoutingSnapshot['ownership']['ofKey'] = ({ name, cohorts }, key) => {
    const inCohort = key !== undefined && moved.includes(key);
    return {
      owner: inCohort ? 'extracted' : owner,
      epoch: 1,
      replicaReady,
      holding: world.holding || world.moving.includes(name),
      known,
      certain,
      key,
      inCohort,
      isUnknown: cohorts !== undefined && moved.length > 0 && key === undefined,
    };
  };
  return {
    routes,
    flags: {
      switch: () => ({ on: false, refused: null, made: true }),
      isEnabled: (flag) => (flag.endsWith('.reads') ? world.reads : world.shadow),
    },
    ownership: {
      ofKey,
      of: (capability, { keys }) => ofKey(capability, keys?.[capability.cohorts?.header ?? '']),
    },
    ownWrites: { isSettled: () => world.settled },
    updatesArePushed: world.pushed,
    version: world.version,
  };
}

interface Asked {
  readonly customer?: string | undefined;
  readonly tenant?: string;
  readonly progress?: Partial<Progress>;
}

function ask(
  request: string,
  world: Partial<World> = {},
  { customer, tenant, progress }: Asked = { customer: 'C1' },
): Route {
  const [method = '', path = ''] = request.split(' ');
  const keys = tenant === undefined ? undefined : { 'x-tenant': tenant };
  return route(
    { form: { method, customer, keys, draw: '1' }, match: routes.match(method, path) },
    snapshotOf({ ...CALM, ...world }),
    {
      isConfirmed: false,
      isBehindBarrier: false,
      isOutOfPatience: false,
      repeatsAt: undefined,
      refusal: undefined,
      rows: undefined,
      ...progress,
    },
  );
}

const C1: Asked = { customer: 'C1' };
const NOBODY: Asked = {};
const FENCED: Refusal = {
  side: 'legacy',
  before: undefined,
  isOwn: true,
  isStale: false,
  waitedSince: undefined,
};
/** The fence of the legacy side has refused it. */
const fenced = (more: Partial<Refusal> = {}): Asked => ({
  ...C1,
  progress: { refusal: { ...FENCED, ...more }, rows: { key: undefined } },
});

type Row = readonly [string, Partial<World>, Asked, Partial<Route>];
const READ = 'GET /api/stock/A1';
const WRITE = 'POST /api/stock/A1';

describe('a route', () => {
  it.each<Row>([
    // Ramps: the flag decides, as far as the other side may serve.
    [READ, {}, C1, { to: 'legacy', reason: 'owner', alternative: undefined }],
    [READ, { reads: true }, C1, { to: 'extracted', reason: 'flag', alternative: 'legacy' }],
    [READ, { reads: true, replicaReady: false }, C1, { to: 'legacy', reason: 'not_ready' }],
    [READ, { reads: true, settled: false }, C1, { to: 'legacy', reason: 'own_write' }],
    [READ, { reads: true }, NOBODY, { to: 'legacy', reason: 'anonymous' }],
    [READ, { owner: 'extracted', reads: true }, C1, { to: 'extracted', reason: 'owner' }],
    [
      READ,
      { owner: 'extracted', reads: true, settled: false },
      NOBODY,
      { to: 'extracted', reason: 'owner' },
    ],
    [READ, { owner: 'extracted' }, C1, { to: 'legacy', reason: 'flag', alternative: 'extracted' }],
    [
      READ,
      { owner: 'extracted', replicaReady: false },
      C1,
      { to: 'extracted', reason: 'not_ready' },
    ],
    [READ, { owner: 'extracted', settled: false }, C1, { to: 'extracted', reason: 'own_write' }],
    // Where no rows move, a read needs no customer.
    ['GET /pages/1', { reads: true, settled: false }, NOBODY, { to: 'extracted', reason: 'flag' }],
    ['GET /pages/1', { reads: true, pushed: false }, NOBODY, { wait: undefined }],
  ])('of a read, ramped: %s in %j by %j', (request, world, asked, expected) => {
    expect(ask(request, world, asked)).toMatchObject({
      wait: undefined,
      shadow: 'off',
      ...expected,
    });
  });

  it.each<Row>([
    [READ, { shadow: true }, C1, { shadow: 'compared', to: 'legacy' }],
    [READ, { shadow: true, reads: true }, C1, { shadow: 'compared', to: 'extracted' }],
    ['HEAD /api/stock', { shadow: true }, C1, { shadow: 'method' }],
    ['OPTIONS /api/stock', { shadow: true }, C1, { shadow: 'method' }],
    [READ, { shadow: true, replicaReady: false }, C1, { shadow: 'not_ready' }],
    ['GET /tenants/1', { shadow: true, moved: ['T'] }, C1, { shadow: 'several_owners' }],
    ['GET /tenants/1', { shadow: true, moved: ['T'] }, { tenant: 'X' }, { shadow: 'compared' }],
    ['GET /tenants/1', { shadow: true }, NOBODY, { shadow: 'compared' }],
    // Nothing is said of comparing where the flag does not ask for it.
    ['HEAD /tenants/1', { moved: ['T'], replicaReady: false }, NOBODY, { shadow: 'off' }],
    ['GET /tenants/1', { moved: ['T'] }, NOBODY, { shadow: 'off' }],
    [WRITE, { shadow: true }, C1, { shadow: 'off' }],
  ])('is compared, or says why not: %s in %j by %j', (request, world, asked, expected) => {
    expect(ask(request, world, asked)).toMatchObject(expected);
  });

  it.each<Row>([
    // Nothing moves, and updates are pushed.
    [READ, { settled: false }, C1, { wait: undefined }],
    // The cached owner may be stale, and a read of one's own write would show it.
    [READ, { settled: false, pushed: false }, C1, { wait: 'confirmation' }],
    [READ, { pushed: false }, NOBODY, { wait: 'confirmation' }],
    [READ, { pushed: false }, C1, { wait: undefined }],
    [
      READ,
      { settled: false, pushed: false },
      { ...C1, progress: { isConfirmed: true } },
      { wait: undefined, to: 'legacy' },
    ],
    [READ, { settled: false, holding: true }, C1, { wait: 'handover' }],
    [READ, { holding: true }, C1, { wait: undefined }],
    [
      READ,
      { settled: false, holding: true },
      { ...C1, progress: { isOutOfPatience: true } },
      { wait: undefined, to: 'legacy' },
    ],
  ])('of a read in doubt waits: %s in %j by %j', (request, world, asked, expected) => {
    expect(ask(request, world, asked)).toMatchObject(expected);
  });

  it.each<Row>([
    [WRITE, {}, C1, { to: 'legacy', reason: 'owner', wait: undefined, version: 7 }],
    [WRITE, { owner: 'extracted', reads: false }, C1, { to: 'extracted' }],
    [WRITE, { holding: true }, C1, { wait: 'handover' }],
    [
      WRITE,
      { holding: true },
      { ...C1, progress: { isOutOfPatience: true } },
      { wait: undefined, to: 'legacy' },
    ],
    // A write behind the owner's back goes to the monolith, and waits for all that it changes.
    ['POST /api/orders', { owner: 'extracted' }, C1, { to: 'monolith', reason: 'touches' }],
    ['POST /api/orders', { moving: ['payment'] }, C1, { wait: 'handover', to: 'monolith' }],
    ['POST /api/orders', { moving: ['tenants'] }, C1, { wait: undefined }],
    ['POST /api/stock/A1/sell', { moving: ['pages'] }, C1, { wait: 'handover', to: 'legacy' }],
    // Without databases, the flag alone says who takes it.
    [
      'POST /pages/1',
      { known: false },
      C1,
      { refused: { code: 'owner_unknown', flag: 'pages.writes', why: 'it was not read yet' } },
    ],
    ['POST /pages/1', {}, C1, { refused: undefined, to: 'legacy' }],
    [WRITE, { known: false }, C1, { refused: undefined, to: 'legacy' }],
  ])(
    'of a write is the owner, once it stands still: %s in %j by %j',
    (request, world, asked, expected) => {
      expect(ask(request, world, asked)).toMatchObject(expected);
    },
  );

  it('of a write that waits names the first capability that moves', () => {
    expect(ask('POST /api/orders', { moving: ['payment'] }).moving?.name).toBe('payment');
    expect(ask('POST /api/orders', { moving: ['payment', 'stock'] }).moving?.name).toBe('stock');
  });

  it.each<Row>([
    ['GET /tenants/1', { moved: ['T'] }, { tenant: 'T' }, { to: 'extracted', reason: 'anonymous' }],
    ['POST /tenants/1', { moved: ['T'] }, { tenant: 'T' }, { to: 'extracted', wait: undefined }],
    ['POST /tenants/1', { moved: ['T'] }, { tenant: 'X' }, { to: 'legacy', wait: undefined }],
    // A request without a key may be about anybody's rows.
    ['GET /tenants/1', { moved: ['T'], reads: true }, C1, { wait: 'barrier', to: 'legacy' }],
    ['POST /tenants/1', { moved: ['T'] }, C1, { wait: 'barrier', to: 'legacy' }],
    [
      'GET /tenants/1',
      { moved: ['T'], reads: true },
      { ...C1, progress: { isBehindBarrier: true } },
      { wait: undefined, to: 'legacy', reason: 'anonymous' },
    ],
    [
      'GET /tenants/1',
      { moved: ['T'], pushed: false },
      NOBODY,
      { wait: 'confirmation', to: 'legacy' },
    ],
    [
      'POST /tenants/1',
      { moved: ['T'] },
      { ...C1, progress: { isBehindBarrier: true } },
      { wait: undefined, to: 'legacy' },
    ],
    // The rows decide, not the header: a fence has said whose they are.
    [
      'POST /tenants/1',
      { moved: ['T'] },
      { tenant: 'X', progress: { refusal: FENCED, rows: { key: 'T' } } },
      { to: 'extracted', wait: undefined },
    ],
  ])(
    'follows a key with an owner of its own: %s in %j by %j',
    (request, world, asked, expected) => {
      expect(ask(request, world, { ...asked, progress: asked.progress ?? {} })).toMatchObject(
        expected,
      );
    },
  );

  it.each<Row>([
    // The fence has told that it gave ownership away.
    [WRITE, { owner: 'extracted', certain: true }, fenced(), { to: 'extracted', wait: undefined }],
    // It only is closed: who will own it is not known.
    [WRITE, { holding: true }, fenced(), { wait: 'update' }],
    [WRITE, {}, fenced(), { wait: 'update' }],
    [WRITE, { version: 8 }, fenced({ waitedSince: 7 }), { to: 'legacy', wait: undefined }],
    [WRITE, {}, fenced({ waitedSince: 7 }), { to: 'extracted', reason: 'fenced', wait: undefined }],
    [
      WRITE,
      { owner: 'extracted', certain: true },
      fenced({ waitedSince: 7 }),
      { to: 'extracted', reason: 'owner' },
    ],
    // Not back to the side that refused it before, unless something has changed.
    [WRITE, { owner: 'extracted' }, fenced({ before: 'extracted' }), { wait: 'update' }],
    [
      WRITE,
      { owner: 'extracted' },
      fenced({ before: 'extracted', isStale: true }),
      { to: 'extracted', wait: undefined },
    ],
    // The monolith's route met the fence of a capability that it touches.
    ['POST /api/orders', {}, fenced({ isOwn: false }), { wait: 'update', to: 'monolith' }],
    ['POST /api/orders', {}, fenced({ isOwn: false, isStale: true }), { wait: undefined }],
    ['POST /api/orders', {}, fenced({ isOwn: false, waitedSince: 7 }), { wait: undefined }],
    // What may have been carried out is repeated where that was.
    [
      WRITE,
      { owner: 'extracted' },
      { ...C1, progress: { repeatsAt: 'legacy' } },
      { to: 'legacy', wait: undefined },
    ],
    [WRITE, { holding: true }, { ...C1, progress: { repeatsAt: 'legacy' } }, { wait: 'handover' }],
    // A side that has given a capability away for good answers no reads either.
    [
      READ,
      { owner: 'extracted' },
      fenced(),
      { to: 'extracted', reason: 'fenced', wait: undefined },
    ],
    [READ, {}, fenced(), { to: 'extracted', alternative: 'legacy', refused: undefined }],
    [READ, {}, fenced({ before: 'extracted' }), { refused: { code: 'held_too_long' } }],
    [READ, {}, fenced({ isOwn: false }), { refused: { code: 'held_too_long' } }],
  ])('is another one after FENCED: %s in %j by %j', (request, world, asked, expected) => {
    expect(ask(request, world, asked)).toMatchObject(expected);
  });

  it('of everything else is the monolith', () => {
    for (const request of [
      'GET /api/orders',
      'PUT /api/orders',
      'GET /api/stock-admin',
      'POST /',
      'DELETE /api/payments',
    ]) {
      const world = { owner: 'extracted', reads: true, shadow: true, holding: true } as const;
      expect(ask(request, world)).toMatchObject({
        to: 'monolith',
        reason: 'monolith',
        wait: undefined,
        shadow: 'off',
      });
    }
  });

  it('never lets a write, or a read that could show too little, pass the owner by', () => {
    const worlds = fc.record({
      owner: fc.constantFrom<World['owner']>('legacy', 'extracted'),
      replicaReady: fc.boolean(),
      holding: fc.boolean(),
      reads: fc.boolean(),
      shadow: fc.boolean(),
      settled: fc.boolean(),
      pushed: fc.boolean(),
    });
    const methods = fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PROPFIND');
    const customers = fc.constantFrom(undefined, 'C1');
    fc.assert(
      fc.property(worlds, methods, customers, (world, method, customer) => {
        const { to, reason } = ask(`${method} /api/stock/A1`, world, { customer });
        const mayLeave =
          reason === 'flag' && world.replicaReady && world.settled && customer !== undefined;
        if (!mayLeave) expect(to).toBe(world.owner);
      }),
    );
  });
});
