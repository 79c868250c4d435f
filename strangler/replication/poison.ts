import { ApplyError } from '../sides/side-database.ts';

/**
 * Tries a transaction the fast way, and where one change alone is at fault the careful way, in which
 * changes are taken one by one: nothing of the first try is left, and the rest can be applied.
 */
export async function withPoisonParked<T>(run: (careful: boolean) => Promise<T>): Promise<T> {
  try {
    return await run(false);
  } catch (error) {
    if (!(error instanceof ApplyError) || !error.poison) throw error;
    return run(true);
  }
}
