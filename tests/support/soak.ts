/** Set by jest's environment for files named `*.soak.test.ts`. */
const SOAK = Symbol.for('fig.tests.soak');

/**
 * One of two sizes of a test: `whole` where a `*.soak.test.ts` runs it, and otherwise a part that stands
 * for it. Such a file does no more than import the test.
 */
export function inSoak<T>(whole: T, part: T): T {
  return (globalThis as { [SOAK]?: boolean })[SOAK] === true ? whole : part;
}
