import { describe, expect, it } from '@jest/globals';
import { defineConfig } from '../../routing/index.ts';
import { compileRoutes, countedFor } from './index.ts';
import type { Match } from './index.ts';

const routes = compileRoutes(
  defineConfig({
    upstreams: {
      monolith: 'http://127.0.0.1:1',
      service: 'http://127.0.0.1:2',
      lists: 'http://127.0.0.1:3',
    },
    monolith: 'monolith',
    services: { lists: ['/api/lists/*', '/api/customers/:id/orders', '/api/stock/:id/history'] },
    capabilities: {
      stock: { legacy: 'monolith', extracted: 'service', routes: ['/api/stock', '/api/stock/*'] },
      pages: { legacy: 'monolith', extracted: 'service', routes: ['/pages/*'] },
    },
    touches: [
      { method: 'POST', path: '/api/orders', capabilities: ['stock'] },
      { method: 'POST', path: '/api/stock/:id/sell', capabilities: ['pages', 'stock'] },
    ],
  }),
);

function changes(match: Match): string[] {
  return match.kind === 'write' ? match.changes.map(({ name }) => name) : [];
}

describe('what the configuration says of a request', () => {
  it('is a read or a write of the capability whose route it is', () => {
    expect(routes.match('GET', '/api/stock/A1')).toMatchObject({
      kind: 'read',
      capability: { name: 'stock' },
    });
    const write = routes.match('POST', '/api/stock');
    expect(write).toMatchObject({ kind: 'write', capability: { name: 'stock' } });
    expect(changes(write)).toEqual(['stock']);
  });

  it('is all that a write changes, the capability of its route first', () => {
    const sale = routes.match('POST', '/api/stock/A1/sell');
    expect(changes(sale)).toEqual(['stock', 'pages']);
    expect(countedFor(sale)?.name).toBe('stock');
    const order = routes.match('POST', '/api/orders');
    expect(order).toMatchObject({ kind: 'write', capability: undefined });
    expect(changes(order)).toEqual(['stock']);
  });

  it('is nothing for any other request', () => {
    for (const [method, path] of [
      ['GET', '/api/orders'],
      ['PUT', '/api/orders'],
      ['GET', '/api/stock-admin'],
      ['POST', '/'],
    ] as const) {
      expect(routes.match(method, path)).toEqual({ kind: 'pass', capability: undefined });
    }
  });

  it('is one of a service that is no side of a capability', () => {
    for (const [method, path] of [
      ['GET', '/api/lists/1'],
      ['POST', '/api/lists'],
      ['GET', '/api/Customers/ALICE/orders'],
    ] as const) {
      expect(routes.match(method, path)).toMatchObject({ kind: 'pass', service: 'lists' });
    }
    expect(routes.patternOf('GET', '/api/customers/ALICE/orders')).toBe(
      '/api/customers/:id/orders',
    );
    expect(routes.match('GET', '/api/customers/ALICE')).not.toHaveProperty('service');
    // A capability goes first, whichever pattern is longer.
    expect(routes.match('GET', '/api/stock/A1/history')).toMatchObject({ kind: 'read' });
  });

  it('is refused where an encoded slash could lead a server elsewhere', () => {
    expect(() => routes.match('GET', '/api%2Fstock')).toThrow('encoded slash');
    expect(() => routes.match('POST', '/api%2Forders')).toThrow('encoded slash');
    expect(routes.match('GET', '/other%2Fpath')).toMatchObject({ kind: 'pass' });
  });
});
