import { setTimeout as delay } from 'node:timers/promises';
import { backoff, CallFailed, FencedError, jittered } from '../../../chassis/index.ts';
import { createOwnerHints } from './owner-hints.ts';

interface OwnedOptions<Port> {
  readonly local: Port;
  readonly remote: Port;
  /** How long to look for the owner; a handover takes far less. */
  readonly patienceMs?: number;
}

/**
 * Makes one call at whichever side owns the capability.
 * @param customerId whom it is about, where single customers may have another owner than the rest
 */
export type Owned<Port> = <T>(call: (port: Port) => Promise<T>, customerId?: string) => Promise<T>;

const PAUSE = { firstMs: 6, longestMs: 200 };

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
  const hints = createOwnerHints();
  return async (call, customerId) => {
    const deadline = performance.now() + patienceMs;
    let side = hints.of(customerId);
    let alone = false;
    for (let failures = 0; ; failures += 1) {
      try {
        const answer = await call(ports[side]);
        hints.accepted(side, customerId, alone);
        return answer;
      } catch (error) {
        const elsewhere = error instanceof FencedError || error instanceof CallFailed;
        if (!elsewhere || performance.now() > deadline) throw error;
        // Its own fence refused: where this customer goes says nothing of the others.
        alone ||= error instanceof FencedError && error.key !== undefined;
      }
      side = side === 'local' ? 'remote' : 'local';
      // Both sides have been asked: between two owners, give the handover a moment.
      if (failures % 2 === 1) await delay(jittered(backoff((failures + 1) / 2, PAUSE)));
    }
  };
}
