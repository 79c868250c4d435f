import { describe, expect, it } from '@jest/globals';
import { openDemand } from './open-demand.ts';

const demand = { reason: 'a backup was restored', at: 5_000 };
const began = (legacy: number, extracted: number) => ({
  clean: true,
  // By the engine's clock, which is of another century.
  startedAt: 1,
  begunAt: { legacy, extracted },
});

describe('a demand of a full comparison', () => {
  it.each([
    ['nothing was compared', []],
    ['one was under way', [began(4_999, 9_000)]],
    ['one found differences', [{ ...began(6_000, 6_000), clean: false }]],
  ])('stays open while %s', (_what, reports) => {
    expect(openDemand({ legacy: demand, extracted: null }, reports)).toEqual(demand);
  });

  it('is met by a clean comparison that began after it, by the clock of the database that keeps it', () => {
    expect(openDemand({ legacy: demand, extracted: null }, [began(5_000, 1)])).toBeNull();
    expect(openDemand({ legacy: null, extracted: demand }, [began(1, 5_000)])).toBeNull();
  });

  it('of either side counts', () => {
    const later = { reason: 'another', at: 7_000 };
    const both = { legacy: demand, extracted: later };
    expect(openDemand(both, [])).toEqual(later);
    expect(openDemand(both, [began(6_000, 6_000)])).toEqual(later);
    expect(openDemand(both, [began(1, 8_000)])).toEqual(demand);
    expect(openDemand(both, [began(6_000, 8_000)])).toBeNull();
  });

  it('goes by the start of a comparison that an earlier version has saved', () => {
    const report = { clean: true, startedAt: 5_000 };
    expect(openDemand({ legacy: demand, extracted: null }, [report])).toBeNull();
    expect(
      openDemand({ legacy: { ...demand, at: 5_001 }, extracted: null }, [report]),
    ).not.toBeNull();
  });
});
