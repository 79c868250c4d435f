import { beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { onFailure, seedFrom, withSystem } from '../support/index.ts';
import { fixtures } from '../system/fixtures/index.ts';

/** Tests that fail, each in another way; `failures.test.ts` reads what they print. */
const SEED = seedFrom('FIXTURE_SEED', 42);

describe('a system', () => {
  it("isn't what (it) should be", async () => {
    const names = await withSystem({ processes: fixtures, load: 'nothing' }, (system) =>
      Promise.resolve(system.names),
    );
    // Judged when the system and its folder are gone.
    expect(names).toEqual([SEED]);
  });
});

it('takes for ever', async () => {
  onFailure(() => 'what it waited for');
  await new Promise(() => undefined);
}, 50);

it('is broken off', () => {
  throw new DOMException('gave up waiting', 'TimeoutError');
});

it('knows a number', () => {
  fc.assert(fc.property(fc.nat({ max: 1_000_000 }), (number) => number < 10));
});

it('passes', () => {
  onFailure(() => 'not to be shown');
});

describe('without what it stands on', () => {
  beforeAll(() => {
    onFailure(() => 'the ground');
    throw new Error('no ground');
  });

  it('is not run', () => undefined);
});
