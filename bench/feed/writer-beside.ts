import { fill, installReplication, plainMapping, withFile } from '../data/index.ts';
import { compared, inTurns, quantile, readable } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { newSides } from './context.ts';
import type { FeedContext } from './context.ts';
import { ORDERS, runWriter } from './writers.ts';

const WRITER_MS = 3_000;
const PER_SECOND = 200;
/** More than can be applied meanwhile anywhere. */
const BACKLOG = 400_000;

interface Turn {
  readonly before: number;
  readonly during: number;
}

/** Orders are written to the database that the applier writes its rows to: their p99 with and without. */
export async function writerBeside(
  context: FeedContext,
  indexes: number,
): Promise<readonly Result[]> {
  const { signal, say, options } = context;
  const show = ({ before, during }: Turn): string =>
    `p99 ${readable(before)} ms without the applier, ${readable(during)} ms with it`;
  const name = indexes > 0 ? `${indexes} more indexes` : 'ours';
  const ours = { name, run: () => writesBeside(context, indexes) };
  const turns = await inTurns([ours], { rounds: options.rounds, signal, say, show });
  return [
    compared({
      name: `p99 of an order's write while changes are applied${indexes > 0 ? `, ${name}` : ''}`,
      unit: 'ms',
      rival: 'without the applier',
      ...turns.within(name, ({ before, during }) => ({ value: during, rivalValue: before })),
      goal: { atMost: 2 },
    }),
  ];
}

/** The slowest hundredth before there was an applier, and while it was applying, in ms. */
async function writesBeside({ folder, redisUrl }: FeedContext, indexes: number): Promise<Turn> {
  const files = await newSides(folder);
  withFile(files.extracted, (db) => {
    db.exec(ORDERS);
    for (let index = 0; index < indexes; index += 1) {
      db.exec(`CREATE INDEX extra_${index} ON rows_in (name, amount, at, ${index})`);
    }
  });
  const write = async (): Promise<number> => {
    const { took } = await runWriter<{ took: number[] }>(
      'order-writer',
      files.extracted,
      PER_SECOND,
      WRITER_MS,
    );
    return quantile(took, 0.99);
  };
  const before = await write();
  const replication = await installReplication(plainMapping, files, redisUrl);
  fill(files.legacy, 'plain', 'legacy', BACKLOG);
  await replication.start();
  const during = await write();
  const { feed } = await replication.status();
  await replication.stop();
  if (feed.applied === 0 || feed.lag === 0) throw new Error('nothing was applied all that time');
  return { before, during };
}
