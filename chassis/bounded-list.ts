/** More that is wrong than anybody would read. */
const MOST = 50;

/**
 * What is wrong with an input, as far as it is worth telling: input of a megabyte may be wrong in a
 * hundred thousand places.
 * @param rest tells of those that are left out
 */
export function boundedList<T>(all: readonly T[], rest: (count: number) => T): readonly T[] {
  return all.length <= MOST ? all : [...all.slice(0, MOST), rest(all.length - MOST)];
}

/** The same of sentences. */
export function boundedTexts(all: readonly string[]): readonly string[] {
  return boundedList(all, (count) => `and ${count} more`);
}
