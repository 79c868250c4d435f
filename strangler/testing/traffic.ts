import * as fc from 'fast-check';
import type { SideName } from '../side.ts';
import { events, happen } from './history.ts';
import type { Prompt } from './sides.ts';

export interface Traffic {
  /** Events so far. */
  readonly count: number;
  stop(): void;
}

/** Lets random things happen at an owner, a few every millisecond or so, until stopped. */
export function startTraffic(prompt: Prompt, side: SideName, seed: number): Traffic {
  const stream = fc.sample(events[side], { seed, numRuns: 500 });
  let count = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 3; i += 1) {
      const event = stream[count % stream.length];
      if (event !== undefined) happen(prompt, event);
      count += 1;
    }
  }, 1);
  return {
    get count() {
      return count;
    },
    stop: () => clearInterval(timer),
  };
}
