import { setTimeout as delay } from 'node:timers/promises';
import { setFlags } from '../routing/index.ts';
import type { Drive, Setting } from './drive.ts';
import { createRandom } from './random.ts';

interface FlipOptions {
  readonly seed: number;
  /** At most. */
  readonly seconds: number;
  /** Ends it before. */
  readonly enough?: (setting: Setting) => Promise<boolean>;
}

const CAPABILITIES = ['inventory', 'payment'] as const;
const SHARES = [0, 10, 50, 100] as const;
const RECONCILE_EVERY_MS = 3_000;

/**
 * Flips all flags of both capabilities at random, in any order and at any moment, for a while; then
 * the orders end and the flags stay as they are.
 */
export function flipFlags({ seed, seconds, enough }: FlipOptions): Drive {
  return async (setting) => {
    const { system, traffic, operator } = setting;
    const file = system.env['FIG_FLAGS_FILE'] ?? '';
    const random = createRandom(seed);
    const end = new AbortController();
    // Without a backfill no flag could do anything, and the while would prove little.
    for (const capability of CAPABILITIES) await operator('backfill', capability);
    const reconciling = keepReconciled(setting, end.signal);
    const late = performance.now() + seconds * 1000;
    for (let flip = 0; !end.signal.aborted; flip += 1) {
      const capability = random.pick(CAPABILITIES);
      const kind = random.pick(['shadow', 'reads', 'writes'] as const);
      const share = kind === 'writes' ? random.pick([0, 100]) : random.pick(SHARES);
      setting.enter(`${capability}.${kind} ${share}`, flip);
      await setFlags(file, { [`${capability}.${kind}`]: share });
      await delay(random.between(20, 400));
      if (performance.now() > late || (await enough?.(setting))) end.abort();
    }
    traffic.stop();
    await reconciling;
    return [];
  };
}

/** A handover's gates want a fresh comparison of both sides. */
async function keepReconciled({ operator }: Setting, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    for (const capability of CAPABILITIES) await operator('reconcile', capability);
    await delay(RECONCILE_EVERY_MS, undefined, { signal: end }).catch(() => undefined);
  }
}
