import { describe, it } from '@jest/globals';
import { carriesOn, recorded } from './carries-on.ts';

describe('data that earlier builds have written', () => {
  it.each(recorded)(
    '%s: is upgraded and carried on with, and nothing is lost',
    (fixture) => carriesOn(fixture),
    600_000,
  );
});
