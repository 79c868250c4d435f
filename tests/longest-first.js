/**
 * Jest starts the files of tests that take longest first, so that no worker is left alone with a
 * long one at the end. A file without a known duration may be long: it goes before all others.
 */
import Sequencer from '@jest/test-sequencer';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Seconds by the path of the file; `npm test -- --write-durations` measures them. */
const durations = JSON.parse(readFileSync(new URL('durations.json', import.meta.url), 'utf8'));

export default class LongestFirst extends (Sequencer.default ?? Sequencer) {
  sort(tests) {
    const seconds = ({ path, context }) =>
      durations[relative(context.config.rootDir, path)] ?? Number.POSITIVE_INFINITY;
    return [...tests].sort((left, right) => {
      const [first, second] = [seconds(left), seconds(right)];
      return first === second ? left.path.localeCompare(right.path) : second - first;
    });
  }
}
