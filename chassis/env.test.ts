import { describe, expect, it } from '@jest/globals';
import { listenHost } from './env.ts';

describe('the address to listen on', () => {
  it.each(['localhost', '::1', '127.0.0.1', '127.8.9.10'])(
    'is %s, which is this machine',
    (HOST) => {
      expect(listenHost({ HOST })).toBe(HOST);
    },
  );

  it.each(['127.evil.example', '127.0.0.1.example.com', '127.1', '0.0.0.0', '10.0.0.1'])(
    'is not %s',
    (HOST) => {
      expect(() => listenHost({ HOST })).toThrow('without authentication');
    },
  );
});
