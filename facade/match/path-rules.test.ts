import { describe, expect, it } from '@jest/globals';
import { PathRules } from './path-rules.ts';

const config = { monolith: 'old', stripsParameters: ['old'] };

function found(method: string, path: string): string | undefined {
  const rules = new PathRules(
    [
      { name: 'items', path: '/items/:id', methods: ['GET'] },
      { name: 'writes', path: '/items/*', methods: ['POST', 'DELETE'] },
      { name: 'rest', path: '/pages/*' },
    ],
    config,
  );
  return rules.find(method, path)?.name;
}

describe('rules by path', () => {
  it('count in their order, by method, and HEAD goes with GET', () => {
    expect(found('GET', '/items/1')).toBe('items');
    expect(found('HEAD', '/items/1')).toBe('items');
    expect(found('POST', '/items/1')).toBe('writes');
    expect(found('GET', '/items')).toBeUndefined();
    expect(found('PUT', '/pages/a/b')).toBe('rest');
    expect(found('GET', '/other')).toBeUndefined();
  });

  it('also fit the paths that a server may see instead', () => {
    expect(found('POST', '/items%2F1')).toBe('writes');
    expect(found('GET', '/items%5C1')).toBe('items');
    expect(found('GET', '/items;v=2/1')).toBe('items');
    expect(found('GET', '/items%2F1;v=2')).toBe('items');
  });
});
