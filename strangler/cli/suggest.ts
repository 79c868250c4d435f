import { CommandError, EXIT } from '../../chassis/cli/index.ts';

/** Edits that turn one word into the other (Levenshtein). */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(left).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(right).entries()) {
      const substituted = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/**
 * The one of the known names that was given.
 * @throws CommandError for any other, with the one that was probably meant
 */
export function known(what: string, given: string, names: readonly string[]): string {
  if (names.includes(given)) return given;
  const [nearest] = names
    .map((name) => ({ name, edits: distance(given, name) }))
    .sort((left, right) => left.edits - right.edits);
  const close = nearest && nearest.edits <= Math.max(2, Math.floor(nearest.name.length / 3));
  const hint = close ? `did you mean ${nearest.name}?` : `known are ${names.join(', ')}`;
  throw new CommandError(EXIT.usage, 'unknown_name', `there is no ${what} "${given}"; ${hint}`);
}
