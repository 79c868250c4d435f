/** How figures are worded, by pure functions. This folder stands apart so that a browser may have it. */
export { duration } from './duration.ts';
