import { expect, it } from '@jest/globals';
import { dialectOf, shownUrl } from './database-url.ts';

const MALFORMED = [
  'mysql:SECRET',
  'mysql://SECRET',
  'postgres:/u:SECRET@h',
  'postgres:u:SECRET@h/x',
  'postgres://u:SECRET',
  'u:SECRET@h/x',
  'SECRET',
];

it.each(MALFORMED)('shows nothing of %s that may be a secret', (url) => {
  if (url !== 'mysql://SECRET') expect(shownUrl(url)).not.toContain('SECRET');
  let message = '';
  try {
    dialectOf(url);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).not.toContain('SECRET');
});

it('shows all but the password of what is well formed', () => {
  expect(shownUrl('postgres://fig:SECRET@db:5432/shop?password=SECRET')).toBe(
    'postgres://fig:***@db:5432/shop',
  );
  expect(shownUrl('file:/data/monolith.db')).toBe('file:/data/monolith.db');
});
