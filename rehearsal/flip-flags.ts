import { setTimeout as delay } from 'node:timers/promises';
import { setFlags } from '../strangler/routing/index.ts';
import type { Drive, Setting } from './drive.ts';
import { createRandom } from './random.ts';

interface FlipOptions {
  readonly seed: number;
  readonly seconds: number;
}

const CAPABILITIES = ['inventory', 'payment'] as const;
const SHARES = [0, 10, 50, 100] as const;
const RECONCILE_EVERY_MS = 3_000;

/**
 * Flips all flags of both capabilities at random, in any order and at any moment, for a while; then
 * the orders end and the flags stay as they are.
 */
export function flipFlags({ seed, seconds }: FlipOptions): Drive {
  return async (setting) => {
    const { system, traffic, operator } = setting;
    const file = system.env['FIG_FLAGS_FILE'] ?? '';
    const random = createRandom(seed);
    const end = performance.now() + seconds * 1000;
    // Without a backfill no flag could do anything, and the minute would prove little.
    for (const capability of CAPABILITIES) await operator('backfill', capability);
    const reconciling = keepReconciled(setting, end);
    for (let flip = 0; performance.now() < end; flip += 1) {
      const capability = random.pick(CAPABILITIES);
      const kind = random.pick(['shadow', 'reads', 'writes'] as const);
      const share = kind === 'writes' ? random.pick([0, 100]) : random.pick(SHARES);
      setting.enter(`${capability}.${kind} ${share}`, flip);
      await setFlags(file, { [`${capability}.${kind}`]: share });
      await delay(random.between(20, 400));
    }
    traffic.stop();
    await reconciling;
    return [];
  };
}

/** A handover's gates want a fresh comparison of both sides. */
async function keepReconciled({ operator }: Setting, end: number): Promise<void> {
  while (performance.now() < end) {
    for (const capability of CAPABILITIES) await operator('reconcile', capability);
    await delay(RECONCILE_EVERY_MS);
  }
}
