import { writeFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { errorText } from '../chassis/index.ts';
import { generateDataset } from './generate.ts';
import { createProgress } from './progress.ts';
import { readDataset } from './read-dataset.ts';
import { rehearse } from './rehearse.ts';
import { passed, renderReport } from './report.ts';
import { EXIT_CODES } from './verdict.ts';

interface Options {
  readonly data?: string;
  readonly concurrency: number;
  readonly seed: number;
  readonly kill?: number;
  readonly flushRedis?: boolean;
  readonly postgres?: boolean;
  readonly auth?: boolean;
  readonly json?: string;
}

function whole(atLeast: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= atLeast) return number;
    throw new InvalidArgumentError(`give a whole number of ${atLeast} or more.`);
  };
}

const EXAMPLES = `
Examples:
  npm run rehearse
  npm run rehearse -- --data orders/ --concurrency 16
  npm run rehearse -- --kill 2 --json report.json
  npm run rehearse -- --postgres
  npm run rehearse -- --auth

DIR holds products.csv (sku, name, unit_price, currency, on_hand), customers.csv (customer_id,
name, country) and order_lines.csv (order_id, customer_id, ordered_at, sku, quantity).
Orders last until the last handover is done: when all were placed, they begin again, and are cancelled.
A handover during which no client wrote anything is not shown.

Exit: 0 when nothing was lost, 1 when a promise was broken (something is lost, doubled, stale, or fails without
a cause) or a handover is not shown, 3 when the rehearsal could not be carried out to its end, 2 for wrong
usage, 130 after Ctrl-C.`;

function parse(words: readonly string[]): Options {
  return new Command('rehearse')
    .description(
      'Moves inventory and payment out of the monolith, back, and out again, under live orders, in a\n' +
        'system of its own, and proves that nothing was lost.',
    )
    .option('--data <dir>', 'replay these orders; a generated shop when absent')
    .option('--concurrency <n>', 'clients that order at the same time', whole(1), 8)
    .option('--seed <n>', 'seed of the generated shop', whole(0), 1)
    .option('--kill <seed>', 'kill -9 processes at moments that this seed chooses', whole(0))
    .option('--flush-redis', 'empty Redis in the middle of the orders')
    .option('--auth', 'ask customers for tokens, and let them try to look at what is not theirs')
    .option('--postgres', 'keep the data in a PostgreSQL of its own instead of in files')
    .option('--json <file>', 'write the report to a file')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .parse([...words], { from: 'user' })
    .opts<Options>();
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  const stop = new AbortController();
  const progress = createProgress(process.stderr);
  const interrupt = (): void => {
    progress.say('interrupted: taking the system down');
    stop.abort(new Error('interrupted'));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    progress.stage('preparing the orders');
    const dataset =
      options.data === undefined ? generateDataset(options.seed) : await readDataset(options.data);
    progress.say(
      `Rehearsing with ${dataset.orders.length} orders of ${dataset.customers.length} customers for ` +
        `${dataset.products.length} products, ${options.concurrency} at a time.`,
    );
    const report = await rehearse({
      dataset,
      concurrency: options.concurrency,
      seed: options.seed,
      ...(options.kill === undefined ? {} : { killSeed: options.kill }),
      flushRedis: options.flushRedis ?? false,
      postgres: options.postgres ?? false,
      auth: options.auth ?? false,
      progress,
      signal: stop.signal,
    });
    progress.end();
    process.stdout.write(renderReport(report));
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    return EXIT_CODES[passed(report) ? 'kept' : 'broke'];
  } catch (error) {
    progress.end();
    if (stop.signal.aborted) return 130;
    const reason = errorText(error);
    process.stderr.write(`inconclusive: the rehearsal could not be carried out: ${reason}\n`);
    return EXIT_CODES.inconclusive;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
