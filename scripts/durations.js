/** Notes down how many seconds each file of tests took, for the order in which later runs start them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const file = join(root, 'tests', 'durations.json');

/** Seconds by the path of the file, from the project's root; none where nothing was measured. */
export function readDurations() {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/**
 * Takes these over, and drops files that are gone.
 *
 * @param {Record<string, number>} measured seconds by the path of the file, from the project's root
 */
export function writeDurations(measured) {
  const known = Object.entries({ ...readDurations(), ...measured })
    .filter(([path]) => existsSync(join(root, path)))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`);
}
