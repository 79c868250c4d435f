import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '../../chassis/index.ts';
import { Engine } from '../engine/index.ts';
import { flagFileStore, openFlags } from '../routing/index.ts';
import { AT_ONCE } from './completion.ts';
import { shop } from './shop.ts';

/**
 * An engine for the shop in a process of its own, which sends itself a signal just before a step of
 * a handover takes effect: SIGKILL for a crash, SIGSTOP for a pause longer than its lease.
 */
const [legacy = '', extracted = '', flagsFile = '', step = '', signal = 'SIGKILL'] =
  process.argv.slice(2);
/** Steps of a completion are named `complete:` and the step; this engine then begins one itself. */
const completing = step.startsWith('complete:');
const log = createLog('engine', 'silent');
const env = { FIG_FLAGS_FILE: flagsFile };
const flags = await openFlags({ env, appName: 'test', capabilities: ['shop'], log });
let sent = false;
const engine = new Engine({
  declarations: { shop: { urls: { legacy, extracted }, mapping: shop, completion: AT_ONCE } },
  flags,
  flagStore: flagFileStore(flagsFile, ['shop']),
  log,
  leaseMs: 500,
  onStep: (_capability, reached) => reach(reached),
  onCompletionStep: (_capability, reached) => reach(`complete:${reached}`),
});
engine.start();
if (completing) void complete();

function reach(reached: string): void {
  if (reached !== step || sent) return;
  sent = true;
  process.kill(process.pid, signal);
}

async function complete(): Promise<void> {
  const steward = engine.stewards.get('shop');
  while (steward?.standing.as !== 'leader') await delay(10);
  await engine.complete(steward);
}
process.once('disconnect', () => process.exit());
