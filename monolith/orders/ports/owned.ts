import { setTimeout as delay } from 'node:timers/promises';
import { CallFailed, FencedError } from '../../../chassis/index.ts';

type Side = 'local' | 'remote';

interface OwnedOptions<Port> {
  readonly local: Port;
  readonly remote: Port;
  /** How long to look for the owner; a handover takes far less. */
  readonly patienceMs?: number;
}

/** Makes one call at whichever side owns the capability. */
export type Owned<Port> = <T>(call: (port: Port) => Promise<T>) => Promise<T>;

const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 200;

/**
 * Finds a capability's owner by asking: the side that owned it last, then the other, and in turns
 * until one of them is open. Whatever is called must carry a key, since a call whose answer got
 * lost is made again.
 * @returns calls the owner; rejects with the last FencedError or CallFailed when there was none
 *   for `patienceMs`
 */
export function owned<Port>({
  local,
  remote,
  patienceMs = 10_000,
}: OwnedOptions<Port>): Owned<Port> {
  const ports = { local, remote };
  // A hint that saves a refused call each time; a wrong one costs just that.
  let lastOwner: Side = 'local';
  return async (call) => {
    const deadline = performance.now() + patienceMs;
    let side = lastOwner;
    for (let failures = 0; ; failures += 1) {
      try {
        const answer = await call(ports[side]);
        lastOwner = side;
        return answer;
      } catch (error) {
        const elsewhere = error instanceof FencedError || error instanceof CallFailed;
        if (!elsewhere || performance.now() > deadline) throw error;
      }
      side = side === 'local' ? 'remote' : 'local';
      // Both sides have been asked: between two owners, give the handover a moment.
      if (failures % 2 === 1) await delay(pauseAfter(failures));
    }
  };
}

function pauseAfter(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** failures);
  return longest * (0.5 + Math.random() / 2);
}
