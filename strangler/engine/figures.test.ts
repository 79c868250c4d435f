import { describe, expect, it } from '@jest/globals';
import type { Fence } from '../../chassis/index.ts';
import { engineFigures } from './figures.ts';
import type { LiveStatus } from './live-status.ts';

/** What monitors are told of the owner, by side. */
async function owners(fences: LiveStatus['fences']): Promise<readonly unknown[]> {
  const status = { capability: 'payment', fences } as LiveStatus;
  const figures = engineFigures({
    status: () => Promise.resolve({ capabilities: [status] }),
    opened: () => [],
  });
  const values = await figures.find(({ name }) => name === 'fig_owner')?.read();
  return (values ?? []).map(({ value, labels }) => [labels?.['side'], value]);
}

describe('fig_owner', () => {
  const open: Fence = { state: 'open', epoch: 3 };
  const closed: Fence = { state: 'closed', epoch: 2 };

  it('is 1 for the owner, and tells two owners from none', async () => {
    const of = (legacy: Fence, extracted: Fence) => owners({ legacy, extracted });
    const each = (legacy: number, extracted: number) => [
      ['legacy', legacy],
      ['extracted', extracted],
    ];
    expect(await of(open, closed)).toEqual(each(1, 0));
    expect(await of(closed, closed)).toEqual(each(0, 0));
    expect(await of(open, open)).toEqual(each(1, 1));
  });

  it('is absent while a side can not be read, which is another alert', async () => {
    expect(await owners({ legacy: null, extracted: closed })).toEqual([]);
  });
});
