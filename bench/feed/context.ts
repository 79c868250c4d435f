import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { makeSides } from '../data/index.ts';
import type { Files } from '../data/index.ts';
import type { BenchContext } from '../harness/index.ts';

export interface FeedOptions {
  readonly only?: string;
  readonly rounds: number;
  readonly rows: number;
}

/** What each part of the benchmark gets. */
export interface FeedContext extends BenchContext<FeedOptions> {
  readonly redisUrl: string;
}

/** Both sides' databases, new and empty, in a folder of their own. */
export async function newSides(folder: string): Promise<Files> {
  return makeSides(await mkdtemp(join(folder, 'sides-')), 'plain');
}
