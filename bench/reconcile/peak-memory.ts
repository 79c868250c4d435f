import { installReplication, plainMapping } from '../data/index.ts';

/** Run as a process of its own: compares both sides and says how much memory that took at most. */
const [, , legacy = '', extracted = ''] = process.argv;
const replication = await installReplication(plainMapping, { legacy, extracted });
await replication.start();
const { clean } = await replication.reconcile();
await replication.stop();
process.stdout.write(JSON.stringify({ clean, peakMb: process.resourceUsage().maxRSS / 1024 }));
