import { describe, expect, it } from '@jest/globals';
import { RouteTable } from './routes.ts';

function table(...patterns: string[]): RouteTable<string> {
  const routes = new RouteTable<string>();
  for (const pattern of patterns) routes.add(pattern, pattern);
  return routes;
}

describe('a route table', () => {
  it('compares whole segments', () => {
    const routes = table('/api/stock', '/api/stock/*');
    expect(routes.match('/api/stock')).toBe('/api/stock');
    expect(routes.match('/api/stock/a/b')).toBe('/api/stock/*');
    expect(routes.match('/api/stock-admin')).toBeUndefined();
    expect(routes.match('/api/stoc')).toBeUndefined();
    expect(routes.match('/api')).toBeUndefined();
    expect(routes.match('/')).toBeUndefined();
  });

  it('takes case and a last slash for the same, as servers do', () => {
    const routes = table('/api/stock');
    expect(routes.match('/API/Stock')).toBe('/api/stock');
    expect(routes.match('/api/stock/')).toBe('/api/stock');
  });

  it('lets * stand for any number of segments, and :name for one', () => {
    const routes = table('/a/*', '/b/:id/c');
    expect(routes.match('/a')).toBe('/a/*');
    expect(routes.match('/a/b/c/d')).toBe('/a/*');
    expect(routes.match('/b/1/c')).toBe('/b/:id/c');
    expect(routes.match('/b/1')).toBeUndefined();
    expect(routes.match('/b/1/2/c')).toBeUndefined();
  });

  it('prefers what is more exact, and goes back when that leads nowhere', () => {
    const routes = table('/a/*', '/a/:id', '/a/b', '/a/b/c/d');
    expect(routes.match('/a/b')).toBe('/a/b');
    expect(routes.match('/a/x')).toBe('/a/:id');
    expect(routes.match('/a/b/c')).toBe('/a/*');
    expect(routes.match('/a/b/c/d')).toBe('/a/b/c/d');
  });

  it('matches everything by /*', () => {
    expect(table('/*').match('/')).toBe('/*');
    expect(table('/*').match('/a/b')).toBe('/*');
  });
});
