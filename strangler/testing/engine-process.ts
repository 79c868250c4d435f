import { createLog } from '../../chassis/index.ts';
import { Engine } from '../engine/index.ts';
import { openFlags } from '../routing/index.ts';
import { shop } from './shop.ts';

/**
 * An engine for the shop in a process of its own, which sends itself a signal just before a step of
 * a handover takes effect: SIGKILL for a crash, SIGSTOP for a pause longer than its lease.
 */
const [legacy = '', extracted = '', flagsFile = '', step = '', signal = 'SIGKILL'] =
  process.argv.slice(2);
const log = createLog('engine', 'silent');
const env = { FIG_FLAGS_FILE: flagsFile };
const flags = await openFlags({ env, appName: 'test', capabilities: ['shop'], log });
let sent = false;
const engine = new Engine({
  declarations: { shop: { urls: { legacy, extracted }, mapping: shop } },
  flags,
  flagsFile,
  log,
  leaseMs: 500,
  onStep(_capability, reached) {
    if (reached !== step || sent) return;
    sent = true;
    process.kill(process.pid, signal);
  },
});
engine.start();
process.once('disconnect', () => process.exit());
