import * as fc from 'fast-check';
import type { SideName } from '../../../routing/side.ts';
import { events, happen } from './history.ts';
import type { Prompt } from './sides.ts';

export interface Traffic {
  /** Events so far. */
  readonly count: number;
}

/** Lets random things happen at an owner, a few every millisecond or so, while `work` runs. */
export async function withTraffic<T>(
  prompt: Prompt,
  side: SideName,
  seed: number,
  work: (traffic: Traffic) => Promise<T>,
): Promise<T> {
  const stream = fc.sample(events[side], { seed, numRuns: 500 });
  const traffic = { count: 0 };
  const timer = setInterval(() => {
    for (let i = 0; i < 3; i += 1) {
      const event = stream[traffic.count % stream.length];
      if (event !== undefined) happen(prompt, event);
      traffic.count += 1;
    }
  }, 1);
  try {
    return await work(traffic);
  } finally {
    clearInterval(timer);
  }
}
