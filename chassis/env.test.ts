import { describe, expect, it } from '@jest/globals';
import { listenHost, serviceUrl } from './env.ts';

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

describe('the URL of another process', () => {
  it.each([
    'http://fig:s3cret@engine:4003',
    'http://s3cret@engine',
    'http://fig:s3cret@engine:port',
  ])('names no user, and %s is refused without showing one', (ENGINE_URL) => {
    const read = (): string => serviceUrl({ ENGINE_URL }, 'ENGINE_URL', 4003);
    expect(read).toThrow(/^ENGINE_URL(?!.*s3cret)/);
  });
});
