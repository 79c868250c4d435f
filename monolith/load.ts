import { Command, InvalidArgumentError } from 'commander';
import {
  ConfigurationError,
  CsvError,
  databaseUrl,
  FencedError,
  keepFilesPrivate,
  migrate,
  openDatabase,
} from '../chassis/index.ts';
import { monolithMigrations } from '../migrations/monolith/index.ts';
import { inventoryGuard } from './inventory/index.ts';
import { loadShop, readShopData, sampleShop } from './loading/index.ts';
import type { Loaded } from './loading/index.ts';

interface Options {
  readonly data?: string;
  readonly sample?: boolean;
  readonly seed: number;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number');
}

/** One line that says what was loaded, and what was left alone. */
function summary({ products, customers, stocked, stockKept }: Loaded): string {
  const kept = stockKept > 0 ? `; ${stockKept} had stock already, which was left as it was` : '';
  return `loaded ${products} products, ${customers} customers, stock of ${stocked}${kept}`;
}

async function load({ data, sample, seed }: Options): Promise<void> {
  if ((data === undefined) === (sample === undefined)) {
    throw new ConfigurationError('give either --data DIR or --sample');
  }
  // All of it is read and checked before the database is touched.
  const shop = data === undefined ? sampleShop(seed) : await readShopData(data);
  const database = await openDatabase(
    databaseUrl(process.env, 'MONOLITH_DATABASE_URL', 'monolith.db'),
  );
  try {
    await migrate(database, monolithMigrations);
    console.log(summary(await loadShop(database, inventoryGuard, shop)));
  } finally {
    await database.close();
  }
}

function explain(error: unknown): string {
  if (error instanceof CsvError) return `${error.message}\nnothing was loaded`;
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof FencedError) {
    return `${error.message}: stock can only be loaded where inventory is owned\nnothing was loaded`;
  }
  return String(error instanceof Error ? error.stack : error);
}

const program = new Command('load')
  .description('fills the monolith with products, stock and customers')
  .option('--data <dir>', 'read products.csv and customers.csv in this folder')
  .option('--sample', 'make up a small shop')
  .option('--seed <n>', 'of the made-up shop', wholeNumber, 1);

keepFilesPrivate();
try {
  await load(program.parse().opts<Options>());
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
