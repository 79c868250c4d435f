/** How many seconds each file of tests took when this was last written down: `npm test -- --write-durations`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const file = join(import.meta.dirname, 'durations.json');

/** @returns {Record<string, number>} seconds by the path of the file, from the project's root */
export function readDurations() {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** Takes these over, and drops files that are gone. */
export function writeDurations(measured) {
  const known = Object.entries({ ...readDurations(), ...measured })
    .filter(([path]) => existsSync(join(root, path)))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`);
}
