/**
 * Jest starts the files of tests that take longest first, so that no worker is left alone with a
 * long one at the end. A file without a known duration may be long: it goes before all others.
 */
import Sequencer from '@jest/test-sequencer';
import { relative } from 'node:path';
import { readDurations } from '../scripts/durations.js';
import { filesOf } from '../scripts/suites.js';

/** `npm test -- --write-durations` measures them. */
const durations = readDurations();

export default class LongestFirst extends (Sequencer.default ?? Sequencer) {
  sort(tests) {
    const secondsOf = ({ path, context }) =>
      filesOf(path)
        .map((file) => durations[relative(context.config.rootDir, file)])
        .reduce((sum, seconds = Number.POSITIVE_INFINITY) => sum + seconds, 0);
    const seconds = new Map(tests.map((test) => [test, secondsOf(test)]));
    return [...tests].sort((left, right) => {
      const [first, second] = [seconds.get(left), seconds.get(right)];
      return first === second ? left.path.localeCompare(right.path) : second - first;
    });
  }
}
