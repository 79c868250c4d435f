import { once } from 'node:events';
import * as fc from 'fast-check';
import { createLog, dialectOf } from '../../../chassis/index.ts';
import { Replication } from '../../../strangler/replication/replication.ts';
import { openSides } from '../../../strangler/sides/sides.ts';
import { worldsOf } from './worlds/world.ts';

/**
 * The replication of a random world in a process of its own, to be killed: the seed is the world's.
 * Begins when it is told to, and says so when it has begun to carry and copy.
 */
const [seed = '', legacy = '', extracted = '', redisUrl = ''] = process.argv.slice(2);
const pairing = { legacy: dialectOf(legacy), extracted: dialectOf(extracted) };
const [world] = fc.sample(worldsOf(pairing), { seed: Number(seed), numRuns: 1 });
if (world === undefined) throw new Error('no world');
const { mapping } = world;
const replication = new Replication({
  mapping,
  databases: openSides(mapping, { legacy, extracted }),
  redisUrl,
  log: createLog('replication', 'silent'),
});
process.once('disconnect', () => process.exit());
await once(process, 'message');
await replication.install();
await replication.start();
void replication.backfill();
process.send?.('begun');
