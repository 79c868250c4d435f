import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../tests/support/index.ts';
import { openDatabase } from './database.ts';
import { reasonOf } from './dead-letters.ts';

describe('the reason of a dead letter', () => {
  it('is what the database said, without the statement before it', () =>
    withTempDir(async (directory) => {
      const database = await openDatabase(`file:${join(directory, 'cards.db')}`);
      try {
        await database.transaction((tx) =>
          tx.raw('CREATE TABLE card (number TEXT, CHECK (length(number) - 1 > 99))'),
        );
        const error: unknown = await database
          .transaction((tx) => tx('card').insert({ number: '4111 - 1111' }))
          .catch((thrown: unknown) => thrown);
        expect((error as Error).message).toContain('4111');
        expect(reasonOf(error)).toBe('CHECK constraint failed: length(number) - 1 > 99');
      } finally {
        await database.close();
      }
    }));

  it('is all that an error of our own says', () => {
    expect(reasonOf(new Error('the event - an order - is unknown'))).toBe(
      'the event - an order - is unknown',
    );
  });

  it('is the name of an error that says nothing, and cut where it is long', () => {
    expect(reasonOf(new TypeError())).toBe('TypeError');
    expect(reasonOf('x'.repeat(2_000))).toHaveLength(1_001);
  });
});
