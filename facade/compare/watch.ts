import { setTimeout as delay } from 'node:timers/promises';
import { sameAnswer } from './compare.ts';
import type { Observation } from '../upstream/index.ts';

/** Changes that come and go within this time may be missed, in ms. */
const WATCH_MS = 4;

/** Asks again and again; `stop` asks once more and tells whether every answer was the same. */
export function watchFor(
  first: Observation,
  ask: () => Promise<Observation>,
): { stop(): Promise<boolean> } {
  let stopped = false;
  let still = true;
  const look = async (): Promise<void> => {
    still &&= sameAnswer(first, await ask());
  };
  const watching = (async () => {
    while (!stopped && still) {
      await look();
      await delay(WATCH_MS);
    }
  })().catch(() => {
    still = false;
  });
  return {
    async stop() {
      stopped = true;
      await watching;
      if (still) await look();
      return still;
    },
  };
}
