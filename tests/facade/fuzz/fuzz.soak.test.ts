import { describe, it } from '@jest/globals';
import { fuzzFacade } from './fuzz-facade.ts';

const REQUESTS = 20_000;

describe('any bytes a client may send, for longer', () => {
  it.each([20_261_121, 1, 2])(
    'do not crash the facade, and mean the same to it and to its upstreams, by seed %i',
    (seed) => fuzzFacade({ requests: REQUESTS, seed }),
    240_000,
  );
});
