import { setTimeout as delay } from 'node:timers/promises';
import { createLog, LOOPBACK_ONLY, Problem } from '../../../chassis/index.ts';
import { Engine } from '../../../strangler/engine/index.ts';
import type { CapabilityController } from '../../../strangler/engine/capability-controller.ts';
import { complete } from '../../../strangler/engine/complete.ts';
import { handOver } from '../../../strangler/engine/hand-over.ts';
import { createFlagFile, flagFileStore, flagsOf, openFlags } from '../../../routing/index.ts';
import { AT_ONCE } from './completion.ts';
import type { CohortOrder } from './doomed-engine.ts';
import { shop } from './shop.ts';
import { tillDeclaration } from './till.ts';

/**
 * An engine for the shop in a process of its own, which sends itself a signal just before a step of
 * a handover takes effect: SIGKILL for a crash, SIGSTOP for a pause longer than its lease.
 */
const [legacy = '', extracted = '', flagsFile = '', step = '', signal = 'SIGKILL', order = ''] =
  process.argv.slice(2);
/** Of the till's instead of the shop's: moves customers to a side. */
const cohort = order === '' ? null : (JSON.parse(order) as CohortOrder);
/** Steps of a completion are named `complete:` and the step; this engine then begins one itself. */
const completing = step.startsWith('complete:');
const log = createLog('engine', 'silent');
const env = { FIG_FLAGS_FILE: flagsFile };
await createFlagFile(flagsFile, ['shop', 'till'].flatMap(flagsOf));
const flags = await openFlags({ env, appName: 'test', capabilities: ['shop', 'till'], log });
const urls = { legacy, extracted };
let sent = false;
const engine = new Engine({
  access: LOOPBACK_ONLY,
  declarations: cohort
    ? { till: tillDeclaration(urls) }
    : { shop: { urls, mapping: shop, completion: AT_ONCE } },
  flags,
  flagStore: flagFileStore(flagsFile),
  log,
  leaseMs: 500,
  onStep: (_capability, reached) => reach(reached),
  onCompletionStep: (_capability, reached) => reach(`complete:${reached}`),
});
engine.start();
if (completing) void completeShop();
if (cohort) void moveCustomers(cohort);

function reach(reached: string): void {
  if (reached !== step || sent) return;
  sent = true;
  process.kill(process.pid, signal);
}

async function moveCustomers({ to, customers }: CohortOrder): Promise<void> {
  const controller = await leading('till');
  // What was written while there was no engine has to be applied first: gates are refused until then.
  for (let refused = true; refused;) {
    refused = await handOver(controller, to, customers ? { wish: { customers } } : {}).then(
      () => false,
      (error: unknown) => error instanceof Problem && error.code === 'gate_refused',
    );
    if (refused) await delay(10);
  }
}

async function leading(capability: string): Promise<CapabilityController> {
  for (;;) {
    const controller = engine.controllers.get(capability);
    if (controller?.standing.as === 'leader') return controller;
    await delay(10);
  }
}

async function completeShop(): Promise<void> {
  try {
    await complete(await leading('shop'));
  } catch (error) {
    // On a busy machine a lease may run out; this engine gets the next one, and goes on by itself.
    if (!(error instanceof Problem) || error.code !== 'completion_lost') throw error;
  }
}
process.once('disconnect', () => process.exit());
