import { createProgress, generateDataset, rehearse } from '../../rehearsal/index.ts';
import type { RehearsalOptions, Report } from '../../rehearsal/index.ts';
import { showOnFailure } from '../support/index.ts';

/** Rehearses the whole migration with a small shop. */
export function run(options: Partial<RehearsalOptions> & { orders: number }): Promise<Report> {
  const { orders, seed = 1, ...rest } = options;
  return rehearse({
    dataset: generateDataset(seed, { products: 25, customers: 12, orders }),
    concurrency: 8,
    seed,
    progress: createProgress(process.stderr),
    onStart: showOnFailure,
    ...rest,
  });
}

/** The invariants that do not hold. */
export function broken({ invariants }: Report): string[] {
  return invariants.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
}
