import { describe, it } from '@jest/globals';
import './fuzz.test.ts';
import { fuzzEarly, fuzzFacade } from './fuzz-facade.ts';

const REQUESTS = 20_000;

describe('any bytes a client may send, for longer', () => {
  it.each([20_261_121, 1, 2])(
    'do not crash the facade, and mean the same to it and to its upstreams, by seed %i',
    (seed) => fuzzFacade({ requests: REQUESTS, seed }),
    240_000,
  );

  it.each([20_261_121, 1, 2])(
    'get the answer of an upstream that has not read all of them, by seed %i',
    (seed) => fuzzEarly({ uploads: 1_000, seed }),
    600_000,
  );
});
