import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { defineConfig } from '../../strangler/routing/index.ts';
import { compileRoutes } from '../match/index.ts';
import { decide } from './decision.ts';
import type { RoutingSnapshot, Decision } from './decision.ts';
import type { Ownership } from '../ownership/ownership.ts';

const database = { legacy: 'file:a', extracted: 'file:b' };
const routes = compileRoutes(
  defineConfig({
    upstreams: { monolith: 'http://127.0.0.1:1', service: 'http://127.0.0.1:2' },
    monolith: 'monolith',
    capabilities: {
      stock: {
        legacy: 'monolith',
        extracted: 'service',
        routes: ['/api/stock', '/api/stock/*'],
        databases: database,
      },
      tenants: {
        legacy: 'monolith',
        extracted: 'service',
        routes: ['/tenants/*'],
        databases: database,
        cohorts: { header: 'x-customer-id' },
      },
      pages: { legacy: 'monolith', extracted: 'service', routes: ['/pages/*'] },
    },
    touches: [
      { method: 'POST', path: '/api/orders', capabilities: ['stock'] },
      { method: 'POST', path: '/api/stock/:id/sell', capabilities: ['pages'] },
    ],
  }),
);

interface World {
  owner: Ownership['owner'];
  replicaReady: boolean;
  holding: boolean;
  reads: boolean;
  shadow: boolean;
  settled: boolean;
  /** Whether some keys have another owner than the rest. */
  split?: boolean;
}

const CALM: World = {
  owner: 'legacy',
  replicaReady: true,
  holding: false,
  reads: false,
  shadow: false,
  settled: true,
};

function snapshot(world: World): RoutingSnapshot {
  return {
    routes,
    flags: {
      switch: () => ({ on: false, refused: null, made: true }),
      isEnabled: (flag) => (flag.endsWith('.reads') ? world.reads : world.shadow),
    },
    ownership: () => ({
      owner: world.owner,
      epoch: 1,
      replicaReady: world.replicaReady,
      holding: world.holding,
      known: true,
      certain: false,
    }),
    isSplit: () => world.split === true,
    isInCohort: () => false,
    isSettled: () => world.settled,
    updatesArePushed: () => true,
  };
}

function ask(
  method: string,
  path: string,
  world: Partial<World> = {},
  customer: string | undefined = 'C1',
): Decision {
  return decide({ method, path, customer, draw: '1' }, snapshot({ ...CALM, ...world }));
}

function changes(decision: Decision): string[] {
  return decision.kind === 'write' ? decision.changes.map(({ name }) => name) : [];
}

describe('the decision', () => {
  it.each<[Partial<World>, string | undefined, string, string]>([
    [{}, 'C1', 'legacy', 'owner'],
    [{ reads: true }, 'C1', 'extracted', 'flag'],
    [{ reads: true, replicaReady: false }, 'C1', 'legacy', 'not_ready'],
    [{ reads: true, settled: false }, 'C1', 'legacy', 'own_write'],
    [{ reads: true }, undefined, 'legacy', 'anonymous'],
    [{ owner: 'extracted', reads: true }, 'C1', 'extracted', 'owner'],
    [{ owner: 'extracted', reads: true, settled: false }, undefined, 'extracted', 'owner'],
    [{ owner: 'extracted' }, 'C1', 'legacy', 'flag'],
    [{ owner: 'extracted', replicaReady: false }, 'C1', 'extracted', 'not_ready'],
    [{ owner: 'extracted', settled: false }, 'C1', 'extracted', 'own_write'],
  ])('on a read in %j by %s is %s: %s', (world, customer, side, reason) => {
    const decision = decide(
      { method: 'GET', path: '/api/stock/A1', customer, draw: '1' },
      snapshot({ ...CALM, ...world }),
    );
    expect(decision).toMatchObject({ kind: 'read', side, reason, shadow: 'off' });
  });

  it('needs no customer where no rows move', () => {
    const decision = decide(
      { method: 'GET', path: '/pages/1', customer: undefined, draw: '1' },
      snapshot({ ...CALM, reads: true, settled: false }),
    );
    expect(decision).toMatchObject({ kind: 'read', side: 'extracted', reason: 'flag' });
  });

  it('shadows GETs, once there is something to compare with, and says why not', () => {
    const shadowOf = (method: string, path: string, world: Partial<World>, customer?: string) => {
      const question = { method, path, customer, draw: '1' };
      const decision = decide(question, snapshot({ ...CALM, shadow: true, ...world }));
      return decision.kind === 'read' ? decision.shadow : undefined;
    };
    expect(shadowOf('GET', '/api/stock', {})).toBe('compared');
    expect(shadowOf('HEAD', '/api/stock', {})).toBe('method');
    expect(shadowOf('OPTIONS', '/api/stock', {})).toBe('method');
    expect(shadowOf('GET', '/api/stock', { replicaReady: false })).toBe('not_ready');
    expect(shadowOf('GET', '/tenants/1', { split: true })).toBe('several_owners');
    expect(shadowOf('GET', '/tenants/1', { split: true }, 'C1')).toBe('compared');
    expect(shadowOf('GET', '/tenants/1', {})).toBe('compared');
  });

  it('says nothing of comparing where the flag does not ask for it', () => {
    for (const method of ['GET', 'HEAD']) {
      for (const world of [{}, { replicaReady: false }, { split: true }]) {
        expect(ask(method, '/tenants/1', world, undefined)).toMatchObject({ shadow: 'off' });
      }
    }
  });

  it('on a write names the owner and all that it changes', () => {
    const write = ask('POST', '/api/stock', { owner: 'extracted', reads: false });
    expect(write).toMatchObject({ kind: 'write', side: 'extracted' });
    expect(changes(write)).toEqual(['stock']);
    expect(changes(ask('POST', '/api/stock/A1/sell'))).toEqual(['stock', 'pages']);
    const order = ask('POST', '/api/orders', { owner: 'extracted' });
    expect(order).toMatchObject({ kind: 'write', capability: undefined, side: 'legacy' });
    expect(changes(order)).toEqual(['stock']);
  });

  it('on everything else is the monolith', () => {
    for (const [method, path] of [
      ['GET', '/api/orders'],
      ['PUT', '/api/orders'],
      ['GET', '/api/stock-admin'],
      ['POST', '/'],
    ] as const) {
      expect(ask(method, path)).toMatchObject({ kind: 'pass' });
    }
  });

  it('never lets a write, or a read that could show too little, pass the owner by', () => {
    const world = fc.record({
      owner: fc.constantFrom<Ownership['owner']>('legacy', 'extracted'),
      replicaReady: fc.boolean(),
      holding: fc.boolean(),
      reads: fc.boolean(),
      shadow: fc.boolean(),
      settled: fc.boolean(),
    });
    const method = fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PROPFIND');
    const customer = fc.constantFrom(undefined, 'C1');
    fc.assert(
      fc.property(world, method, customer, (state, verb, who) => {
        const decision = decide(
          { method: verb, path: '/api/stock/A1', customer: who, draw: '1' },
          snapshot(state),
        );
        if (decision.kind === 'pass') throw new Error('a capability was passed by');
        const mayLeave =
          decision.kind === 'read' && state.replicaReady && state.settled && who !== undefined;
        if (!mayLeave) expect(decision.side).toBe(state.owner);
      }),
    );
  });
});
