import { createLog } from '../../chassis/index.ts';
import { DataPlane } from '../data-plane.ts';
import { openSides } from '../sides.ts';
import { shop } from './shop.ts';

/** Copies the shop in a process of its own, at so many rows a second, until it is killed. */
const [legacy = '', extracted = '', rate = ''] = process.argv.slice(2);
const plane = new DataPlane({
  mapping: shop,
  databases: openSides(shop, { legacy, extracted }),
  log: createLog('copy', 'silent'),
});
process.once('disconnect', () => process.exit());
await plane.install();
await plane.start();
await plane.backfill({ rate: Number(rate) });
