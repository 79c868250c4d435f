import { fill, installReplication, plainMapping, withFile } from '../data/index.ts';
import { compared, inTurns, readable } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { newSides } from './context.ts';
import type { FeedContext } from './context.ts';
import { ORDERS, runWriter } from './writers.ts';

const WRITER_MS = 1_500;
const AS_FAST_AS_IT_CAN = 0;

/** What capture costs: orders of a few rows, one of them captured. */
export async function captureCost(context: FeedContext): Promise<readonly Result[]> {
  const { rivals, signal, say, options } = context;
  const lanes = [
    { name: 'ours', run: () => orderRate(context, true) },
    ...(rivals ? [{ name: 'without', run: () => orderRate(context, false) }] : []),
  ];
  const show = (perSecond: number): string => `${readable(perSecond)} orders/s`;
  const turns = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
  return [
    compared({
      name: "the monolith's orders with capture",
      unit: 'orders/s',
      rival: 'without',
      ...turns.beside('ours', 'without', (perSecond) => perSecond),
      goal: { atLeast: 0.85 },
    }),
  ];
}

async function orderRate({ folder }: FeedContext, capture: boolean): Promise<number> {
  const files = await newSides(folder);
  fill(files.legacy, 'plain', 'legacy', 1_000);
  withFile(files.legacy, (db) => db.exec(ORDERS));
  if (capture) await (await installReplication(plainMapping, files)).stop();
  const { took } = await runWriter<{ took: number[] }>(
    'order-writer',
    files.legacy,
    AS_FAST_AS_IT_CAN,
    WRITER_MS,
    'rows',
  );
  return (took.length * 1_000) / WRITER_MS;
}
