import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { canonicalTarget, readingsOf } from './path.ts';

/** None where one of them is refused. */
function readings(path: string): readonly string[] {
  try {
    return readingsOf(path);
  } catch {
    return [];
  }
}

const pathOf = (target: string): string => canonicalTarget(target).path;

describe('the canonical form of a target', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['/a//b///c', '/a/b/c'],
    ['/%61%2D%7e', '/a-~'],
    ['/a%c3%a9', '/a%C3%A9'],
    ['/a%25%3f', '/a%25%3F'],
    ['/a"b{c}', '/a%22b%7Bc%7D'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a...b/..c', '/a...b/..c'],
  ])('%s becomes %s', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  it('leaves the query as it came', () => {
    expect(canonicalTarget('/a?b=%2f&c=../d?e')).toEqual({ path: '/a', query: '?b=%2f&c=../d?e' });
  });

  it.each([
    '',
    'a',
    '*',
    '?a',
    '//..',
    '/.',
    '/a/.',
    '/..;x',
    '/%',
    '/%4',
    '/%0a',
    '/%7f',
    '/a b',
    '/%c0%af',
    '/caf%e9',
  ])('refuses %j', (target) => {
    expect(() => pathOf(target)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('has one form for each path, and that form is its own', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '.',
      '..',
      '/',
      '//',
      '%2e',
      '%2F',
      '%61',
      '%',
      '"',
      ';',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let path: string;
        try {
          path = pathOf(`/${pieces.join('')}`);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_path' });
          return;
        }
        expect(pathOf(path)).toBe(path);
        expect(path).not.toMatch(/\/\/|\/\.\.?(\/|$)|[^\x21-\x7e]/);
        // A server that decodes it sees the same segments, or one of its other readings.
        const segments = decodeURIComponent(path.replace(/%(?:2f|5c)/gi, '_')).split('/');
        expect(segments).toHaveLength(path.split('/').length);
        expect(readings(path).every((reading) => pathOf(reading) === reading)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
