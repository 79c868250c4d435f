import { describe, expect, it } from '@jest/globals';
import { statSync } from 'node:fs';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import { SqliteConnection } from './connection.ts';

/** After this many pages in the log, SQLite has the next commit move them, whoever's it is. */
const USUAL_CHECKPOINT = 1_000;

describe('a connection of the engine', () => {
  it("moves the log into the database before one of the business's commits has to", () =>
    withSides(async ({ urls, legacy }) => {
      legacy.exec('CREATE TABLE pages (page BLOB)');
      const connection = new SqliteConnection(urls.legacy);
      for (let pages = 0; pages < 3 * USUAL_CHECKPOINT; pages += 50) {
        await connection.transaction(() => {
          const page = connection.write('INSERT INTO pages VALUES (zeroblob(4000))');
          for (let number = 0; number < 50; number += 1) page.run();
        });
      }
      connection.close();
      const pageSize = legacy.pragma('page_size', { simple: true }) as number;
      const { size } = statSync(`${legacy.name}-wal`);
      expect(size / pageSize).toBeLessThan(USUAL_CHECKPOINT);
    }));
});
