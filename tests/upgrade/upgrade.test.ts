import { describe, expect, it } from '@jest/globals';
import { carriesOn, recorded } from './carries-on.ts';

/** One for all: `npm run test:soak` tries every one of them. */
const SMOKE = '9d04eea/sqlite-ceded';

describe('data that an earlier build has written', () => {
  it('killed after the commit point, is upgraded and carried on with, and nothing is lost', async () => {
    expect(recorded).toContain(SMOKE);
    await carriesOn(SMOKE);
  }, 600_000);
});
