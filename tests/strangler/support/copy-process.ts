import { createLog } from '../../../chassis/index.ts';
import { Replication } from '../../../strangler/replication/replication.ts';
import { openSides } from '../../../strangler/sides/sides.ts';
import { shop } from './shop.ts';

/** Copies the shop in a process of its own, at so many rows a second, until it is killed. */
const [legacy = '', extracted = '', rate = ''] = process.argv.slice(2);
const replication = new Replication({
  mapping: shop,
  databases: openSides(shop, { legacy, extracted }),
  log: createLog('copy', 'silent'),
});
process.once('disconnect', () => process.exit());
await replication.install();
await replication.start();
await replication.backfill({ rate: Number(rate) });
