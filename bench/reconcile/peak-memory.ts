import { installPlane, plainMapping } from '../data/index.ts';

/** Run as a process of its own: compares both sides and says how much memory that took at most. */
const [, , legacy = '', extracted = ''] = process.argv;
const plane = await installPlane(plainMapping, { legacy, extracted });
await plane.start();
const { clean } = await plane.reconcile();
await plane.stop();
process.stdout.write(JSON.stringify({ clean, peakMb: process.resourceUsage().maxRSS / 1024 }));
