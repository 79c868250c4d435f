import { describe, expect, it } from '@jest/globals';
import { assert, property, stringMatching } from 'fast-check';
import { redacted } from './redact.ts';

describe('redacting', () => {
  it.each([
    ['postgres://fig:s3cret@db:5432/shop', 'postgres://fig:redacted@db:5432/shop'],
    [
      'postgres://db/shop?user=fig&password=s3cret',
      'postgres://db/shop?user=fig&password=redacted',
    ],
    ['redis://:s3cret@cache:6379/0', 'redis://:redacted@cache:6379/0'],
    ['postgres://fig:s3cret@db:543210/shop', '[redacted]'],
    ['postgres://fig:12/s3cret@db/shop', '[redacted]'],
    ['mysql:s3cret', '[redacted]'],
    ['postgres:/u:s3cret@h', '[redacted]'],
    ['u:s3cret@h/shop', '[redacted]'],
    ['postgres//u:s3cret@h', '[redacted]'],
    ['//u:s3cret@h', '[redacted]'],
    [' postgres://u:s3cret@h', 'postgres://u:redacted@h'],
    [' postgres://u:s3cret@h:543210', '[redacted]'],
    ['postgres:/u:s3 cret@h', '[redacted]'],
    ['file:/u:s3cret@h', '[redacted]'],
    ['host=db user=fig password=s3cret', '[redacted]'],
    ['Server=db;Uid=fig;Pwd = s3cret', '[redacted]'],
    ['mysql:s3cret\nhost', '[redacted]'],
    ['postgres://db/shop\npassword s3cret', '[redacted]'],
    ['postgres://db/shop?key=s3cret', 'postgres://db/shop?key=redacted'],
    ['postgres://db/shop?options=-c%20app.secret%3Ds3cret', 'postgres://db/shop?options=redacted'],
    ['file:/data/team@shop/monolith.db', 'file:/data/team@shop/monolith.db'],
    ['Ask ops@shop.example: they know', 'Ask ops@shop.example: they know'],
    ['/api/inventory/:sku', '/api/inventory/:sku'],
    ['http://127.0.0.1:4003', 'http://127.0.0.1:4003'],
    ['file:/data/monolith.db', 'file:/data/monolith.db'],
    ['not a url: at all', 'not a url: at all'],
  ])('of %s leaves %s', (given, left) => expect(redacted(given)).toBe(left));

  it('hides values under telling names, however deep', () => {
    const given = { a: [{ timingToken: 'x' }], UNLEASH_TOKEN: 'y', PGPASSWORD: 'z', token: '' };
    expect(redacted(given)).toEqual({
      a: [{ timingToken: '[redacted]' }],
      UNLEASH_TOKEN: '[redacted]',
      PGPASSWORD: '[redacted]',
      token: '',
    });
  });

  it('lets no password of a URL through, whatever it is made of', () => {
    assert(
      property(stringMatching(/^[\x21-\x7e]{1,30}$/), (password) => {
        const secret = `Q${password}Q`;
        const url = `postgres://fig:${secret}@db.example/shop`;
        expect(JSON.stringify(redacted({ databases: { legacy: url } }))).not.toContain(secret);
        const encoded = `postgres://fig:${encodeURIComponent(secret)}@db.example/shop`;
        expect(JSON.stringify(redacted([encoded]))).not.toContain(encodeURIComponent(secret));
      }),
    );
  });
});
