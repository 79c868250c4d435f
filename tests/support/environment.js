import { join, relative } from 'node:path';
import { TestEnvironment } from 'jest-environment-node';

/** Where `on-failure.ts` keeps what a failing test is to print; the two share no module. */
const NOTES = Symbol.for('fig.tests.notes');
/** Tells `soak.ts` how long tests are to be. */
const SOAK = Symbol.for('fig.tests.soak');
const SUITES = join('.cache', 'suites');
/** A frame of a stack, as modules have it. */
const WRITTEN_IN = /(?:file:\/\/|\()(\/[^\n]+?\.test\.ts)[:?]/;
const FAST_CHECK = /\{ seed: (-?\d+), path: "([^"]*)"/;

/**
 * Node, and failures that tell a person what they need: the command that runs the test again, with its
 * seeds, and whatever tests have asked to be shown, such as the last lines of a system's processes.
 */
export default class extends TestEnvironment {
  #root;
  #file;
  #isSoak;
  /** Notes from before the test, which belong to all tests of the file. */
  #kept = 0;

  constructor(config, context) {
    super(config, context);
    this.#root = config.globalConfig.rootDir;
    this.#file = relative(this.#root, context.testPath);
    this.#isSoak = this.#file.endsWith('.soak.test.ts');
    this.global[SOAK] = this.#isSoak;
    this.global[NOTES] = { shown: [], variables: {} };
  }

  handleTestEvent({ name, test }) {
    const { shown } = this.global[NOTES];
    if (name === 'test_start') {
      this.#kept = shown.length;
      // A hook before the tests has failed: they are not run, and never done.
      if (test.errors.length > 0) this.#explain(test);
    }
    if (name === 'test_done') {
      if (test.errors.length > 0) this.#explain(test);
      shown.length = this.#kept;
    }
  }

  #explain(test) {
    const last = test.errors.at(-1);
    const [thrown, place] = Array.isArray(last) ? last : [last];
    const error = asError(thrown, place);
    const { shown, variables } = this.global[NOTES];
    const again = `again: ${this.#command(test, { ...variables, ...fastCheckSeed(error) })}`;
    error.stack = [error.stack, '', again, ...shown.map(textOf)].join('\n');
    test.errors[test.errors.length - 1] = [error, place];
  }

  #command(test, variables) {
    const set = Object.entries(variables).map(([key, value]) => `${key}=${quoted(String(value))} `);
    const run = this.#isSoak ? 'npm run test:soak' : 'npm test';
    return `${set.join('')}${run} -- ${quoted(this.#fileOf(test))} -t ${quoted(patternOf(nameOf(test)))}`;
  }

  /** The file that a test is written in: what runs may be a suite of several (scripts/suites.js). */
  #fileOf({ asyncError }) {
    if (!this.#file.startsWith(SUITES)) return this.#file;
    const written = WRITTEN_IN.exec(asyncError?.stack ?? '')?.[1];
    if (written === undefined) return this.#file;
    const file = relative(this.#root, written);
    return this.#isSoak ? file.replace(/(?:\.soak)?\.test\.ts$/, '.soak.test.ts') : file;
  }
}

/** What was thrown may be anything, a timeout is a text; and an error may be shared between tests. */
function asError(thrown, place) {
  if (typeof thrown?.stack !== 'string') {
    const error = new Error(typeof thrown === 'string' ? thrown : JSON.stringify(thrown));
    const at = place?.stack?.indexOf('\n    at ') ?? -1;
    error.stack = `${error.message}${at < 0 ? '' : place.stack.slice(at)}`;
    return error;
  }
  const stack = { value: thrown.stack, writable: true };
  // One whose properties belong to itself alone, such as an aborted request's.
  if (Object.prototype.toString.call(thrown) === '[object DOMException]') {
    const { name, message, cause } = thrown;
    return Object.defineProperties(Object.assign(new Error(message, { cause }), { name }), {
      stack,
    });
  }
  return Object.create(thrown, { stack });
}

function fastCheckSeed({ stack }) {
  const [, seed, path] = FAST_CHECK.exec(stack) ?? [];
  return seed === undefined ? {} : { FAST_CHECK_SEED: seed, FAST_CHECK_PATH: path };
}

function textOf(note) {
  try {
    return note();
  } catch (error) {
    return `(${error.message})`;
  }
}

/** As jest's `-t` compares it. */
function nameOf({ name, parent }) {
  const outer = parent?.parent ? `${nameOf(parent)} ` : '';
  return `${outer}${name}`;
}

function patternOf(name) {
  return `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`;
}

function quoted(word) {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
