import { describe, expect, it } from '@jest/globals';
import { predictHold } from './prediction.ts';

const noLag = { changes: 0, ms: 0 };

describe('the hold that is predicted', () => {
  it('is the median of recent ones, which a single slow one does not move', () => {
    expect(predictHold([900, 6, 5], noLag)).toEqual({
      holdMs: 6,
      from: 'the last 3 took 5 to 900 ms, half of them up to 6 ms, 0 changes are still to be applied',
    });
  });

  it('grows with what the other side has not applied yet', () => {
    expect(predictHold([5], { changes: 1_000, ms: 40 }).holdMs).toBe(105);
  });

  it('says so when there is nothing to go by, and assumes a cold start', () => {
    expect(predictHold([], noLag)).toMatchObject({
      holdMs: 35,
      from: expect.stringMatching(/^none was done yet/),
    });
  });

  it('does not go by a single slow one, which no other could ever put right', () => {
    expect(predictHold([2_005], noLag)).toEqual({
      holdMs: 35,
      from: 'the only one so far took 2005 ms, 0 changes are still to be applied',
    });
    expect(predictHold([2_005, 9], noLag).holdMs).toBe(9);
  });

  it('looks at the newest ten only', () => {
    const old = Array.from({ length: 50 }, () => 1_000);
    expect(predictHold([...Array.from({ length: 10 }, () => 4), ...old], noLag).holdMs).toBe(4);
  });
});
