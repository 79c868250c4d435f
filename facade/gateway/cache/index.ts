/** Answers that are given again for a moment, and never while what they tell of is moving. */
export { Cache } from './cache.ts';
