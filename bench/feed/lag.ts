import { installReplication, plainMapping } from '../data/index.ts';
import { compared, inTurns, quantile, readable } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { newSides } from './context.ts';
import type { FeedContext } from './context.ts';
import { QUEUE, withWorker } from './one-by-one.ts';
import { runWriter } from './writers.ts';

const WRITER_MS = 3_000;
const WARM_UP_MS = 1_000;
/** So few that no machine is busy with them: at more, how soon is a question of how fast. */
const PER_SECOND = 200;

interface Lags {
  readonly lags: readonly number[];
  readonly lost: number;
}

/** From a row's commit until the other side shows it, beside a job for each row. */
export async function lag(context: FeedContext): Promise<readonly Result[]> {
  const { rivals, signal, say, options } = context;
  const lanes = [
    { name: 'ours', run: () => feedLags(context) },
    ...(rivals ? [{ name: 'one job a row', run: () => jobLags(context) }] : []),
  ];
  const show = (lags: readonly number[]): string =>
    `p50 ${readable(quantile(lags, 0.5))} ms, p99 ${readable(quantile(lags, 0.99))} ms`;
  const turns = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
  const figure = (name: string, share: number, atMost: number): Result =>
    compared({
      name: `lag, ${name}`,
      unit: 'ms',
      rival: 'one job and transaction a row',
      ...turns.beside('ours', 'one job a row', (lags) => quantile(lags, share)),
      goal: { atMost },
    });
  // A change is read from the feed and packed on its way, and its position is written with it.
  return [figure('p50', 0.5, 4), figure('p99', 0.99, 3)];
}

async function feedLags({ folder, redisUrl }: FeedContext): Promise<readonly number[]> {
  const files = await newSides(folder);
  const replication = await installReplication(plainMapping, files, redisUrl);
  await replication.start();
  try {
    return await lagsOf((ms) => [files.legacy, files.extracted, PER_SECOND, ms]);
  } finally {
    await replication.stop();
  }
}

async function jobLags({ folder, redisUrl }: FeedContext): Promise<readonly number[]> {
  const { legacy, extracted } = await newSides(folder);
  return withWorker(redisUrl, extracted, () =>
    lagsOf((ms) => [legacy, extracted, PER_SECOND, ms, redisUrl, QUEUE]),
  );
}

async function lagsOf(
  parameters: (ms: number) => readonly (string | number)[],
): Promise<readonly number[]> {
  await runWriter<Lags>('row-writer', ...parameters(WARM_UP_MS));
  const { lags, lost } = await runWriter<Lags>('row-writer', ...parameters(WRITER_MS));
  if (lost > 0) throw new Error(`${lost} rows never came`);
  return lags;
}
