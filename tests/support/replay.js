/** Has fast-check go through one case again: with the two variables that a failure names. */
import * as fc from 'fast-check';

fc.configureGlobal({
  seed: Number(process.env.FAST_CHECK_SEED),
  path: process.env.FAST_CHECK_PATH ?? '',
});
