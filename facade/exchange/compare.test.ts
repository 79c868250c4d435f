import { describe, expect, it } from '@jest/globals';
import { differences } from './compare.ts';

const answer = (body: unknown, status = 200): { status: number; body: Buffer } => ({
  status,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

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
});
