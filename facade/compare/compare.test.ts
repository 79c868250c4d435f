import { describe, expect, it } from '@jest/globals';
import { differences as found } from './compare.ts';
import type { Difference } from './compare.ts';
import type { Observation } from '../upstream/index.ts';

const JSON_TYPE = ['content-type', 'application/json'];

function answer(body: unknown, status = 200, headers: readonly string[] = JSON_TYPE): Observation {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  return { status, headers, body: Buffer.from(isRaw ? (body as string) : JSON.stringify(body)) };
}

function differences(
  legacy: Observation,
  extracted: Observation,
  ignore: readonly string[],
): readonly Difference[] {
  return found(legacy, extracted, {
    ignore,
    headers: ['content-type', 'location'],
    origins: { legacy: 'http://old:1', extracted: 'http://new:2' },
  });
}

describe('comparing two answers', () => {
  it('minds neither the order of members nor the spelling of JSON', () => {
    expect(differences(answer({ a: 1, b: 2 }), answer('{ "b": 2.0, "a": 1 }'), [])).toEqual([]);
  });

  it('names status, paths and both values', () => {
    const legacy = answer({ items: [{ n: 1 }, { n: 2 }], total: null });
    const extracted = answer({ items: [{ n: 1 }, { n: '2' }], extra: [] }, 201);
    expect(differences(legacy, extracted, [])).toEqual([
      { path: '(status)', legacy: 200, extracted: 201 },
      { path: 'items.1.n', legacy: 2, extracted: '2' },
      { path: 'total', legacy: null, extracted: undefined },
      { path: 'extra', legacy: undefined, extracted: [] },
    ]);
  });

  it('tells a list from an object, and a missing element from one that is there', () => {
    expect(differences(answer([]), answer({}), [])).toHaveLength(1);
    expect(differences(answer([1]), answer([1, 2]), [])).toEqual([
      { path: '1', legacy: undefined, extracted: 2 },
    ]);
  });

  it('leaves out ignored paths, and only those', () => {
    const legacy = answer({ at: 1, items: [{ at: 1, n: 1 }] });
    const extracted = answer({ at: 2, items: [{ at: 2, n: 1 }] });
    expect(differences(legacy, extracted, ['items.*.at'])).toEqual([
      { path: 'at', legacy: 1, extracted: 2 },
    ]);
    expect(differences(legacy, extracted, ['items', 'at'])).toEqual([]);
  });

  it('compares as text what is no JSON', () => {
    expect(differences(answer('<a>'), answer('<a>'), [])).toEqual([]);
    expect(differences(answer('<a>'), answer('<b>'), [])).toHaveLength(1);
  });

  it.each([
    ['0', '-0.0'],
    ['1', '1.0'],
    ['100', '1e2'],
    ['0.1', '0.10'],
    ['-12.50', '-1250e-2'],
    ['1e-999999999', '10E-1000000000'],
    ['9007199254740993', '9007199254740993.0'],
  ])('takes the numbers %s and %s for the same', (left, right) => {
    expect(differences(answer(`[${left}]`), answer(`[${right}]`), [])).toEqual([]);
  });

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['1e400', '1e401'],
    ['0.1', '0.10000000000000000001'],
    ['1', '-1'],
    ['1', '"1"'],
  ])('tells the number %s from %s', (left, right) => {
    expect(differences(answer(`[${left}]`), answer(`[${right}]`), [])).toHaveLength(1);
  });

  it('shows digits that a number would lose as text', () => {
    const [difference] = differences(answer('9007199254740993'), answer('9007199254740992'), []);
    expect(difference).toEqual({
      path: '',
      legacy: '9007199254740993',
      extracted: 9007199254740992,
    });
  });

  it('takes numbers of any length in no time, those of over 1,000 digits as they are written', () => {
    const zeros = '0'.repeat(100_000);
    for (const long of [`1${zeros}1`, `0.1${zeros}1`, `1e1${zeros}`]) {
      const started = performance.now();
      expect(differences(answer(`[${long}]`), answer(`[${long} ]`), [])).toEqual([]);
      expect(differences(answer(`[${long}]`), answer(`[${long}1]`), [])).toHaveLength(1);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
    expect(differences(answer(`[1${zeros}]`), answer(`[1${zeros}.0]`), [])).toHaveLength(1);
  });

  it('does not read what is too large, but tells whether it is the same', () => {
    const large = `["${'x'.repeat(1_000_000)}"]`;
    expect(differences(answer(large), answer(large), [])).toEqual([]);
    expect(() => differences(answer(large), answer(`${large} `), [])).toThrow('more than 1000000');
    expect(differences(answer(large), answer(`${large} `, 201), [])).toMatchObject([
      { path: '(status)' },
    ]);
  });

  it('sees members of any name', () => {
    const odd = answer('{"__proto__":{"a":1}}');
    expect(differences(odd, answer('{}'), [])).toMatchObject([{ path: '__proto__' }]);
    expect(differences(odd, answer('{"__proto__":{"a":2}}'), [])).toMatchObject([
      { path: '__proto__.a', legacy: 1, extracted: 2 },
    ]);
    expect(differences(answer('{"constructor":1}'), answer('{}'), [])).toHaveLength(1);
  });

  it.each([
    ['a member that is named twice', '{"a":1,"a":2}', '{"a":2}'],
    ['what is no JSON to others', '[1,]', '[1]'],
    ['a text that only looks like a number', 'NaN', 'NaN '],
    ['a nesting that nobody can follow', '['.repeat(100_000), '['.repeat(99_999)],
  ])('compares by its bytes %s', (_name, left, right) => {
    expect(differences(answer(left), answer(right), [])).toHaveLength(1);
  });

  it('compares as bytes what is no text, and shows where it begins to differ', () => {
    const [left, right] = [Buffer.from([1, 2, 0xff, 3]), Buffer.from([1, 2, 0xfe, 3])];
    expect(differences(answer(left), answer(right), [])).toEqual([
      {
        path: '',
        legacy: '4 bytes; from byte 2 on: ff03',
        extracted: '4 bytes; from byte 2 on: fe03',
      },
    ]);
    // Both would be read as the same replacement character.
    expect(differences(answer(Buffer.from([0xff])), answer(Buffer.from([0xfe])), [])).toHaveLength(
      1,
    );
  });

  it('takes a plain text as it is, and JSON as JSON whatever it is called', () => {
    const text = ['content-type', 'text/plain'];
    expect(differences(answer('1', 200, text), answer('1.0', 200, text), [])).toHaveLength(1);
    const html = ['content-type', 'text/html'];
    expect(
      differences(answer('{"a":1,"b":2}', 200, html), answer('{"b":2,"a":1}', 200, html), []),
    ).toEqual([]);
  });

  it('compares the headers that matter', () => {
    const at = (location: string, type = 'text/html'): Observation =>
      answer('', 302, ['Content-Type', type, 'Location', location]);
    expect(differences(at('/a'), at('/b'), [])).toEqual([
      { path: '(location)', legacy: '/a', extracted: '/b' },
    ]);
    expect(differences(at('/a'), at('/a', 'text/plain'), [])).toMatchObject([
      { path: '(content-type)' },
    ]);
    expect(differences(at('/a'), at('/b'), ['(location)'])).toEqual([]);
    // Each side may name itself.
    expect(differences(at('http://old:1/a'), at('http://new:2/a'), [])).toEqual([]);
    expect(differences(at('http://old:1?x'), at('/?x'), [])).toEqual([]);
    expect(differences(at('http://old:10/a'), at('/a'), [])).toHaveLength(1);
  });

  it('minds no other spelling of a content type', () => {
    const typed = (type: string): Observation => answer('{}', 200, ['content-type', type]);
    const json = typed('application/json');
    expect(differences(json, typed('Application/JSON; charset=UTF-8'), [])).toEqual([]);
    expect(differences(json, typed('application/problem+json'), [])).toHaveLength(1);
    const html = typed('text/html;charset=utf-8');
    expect(differences(html, typed('text/html; charset="UTF-8"'), [])).toEqual([]);
    expect(differences(html, typed('text/html; charset=latin1'), [])).toHaveLength(1);
  });

  it('shows no more of a value than a person would read', () => {
    const [difference] = differences(answer({ a: 'x'.repeat(9_000) }), answer({}), []);
    expect(String(difference?.legacy).length).toBeLessThan(1_100);
  });
});
