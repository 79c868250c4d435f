import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import { withTempDir } from '../../../tests/support/index.ts';
import { WalSync } from './wal-sync.ts';

describe("the sync of a database's write-ahead log", () => {
  it('takes what another connection has committed without waiting for the disk', async () => {
    await withTempDir(async (directory) => {
      const file = join(directory, 'test.db');
      const database = new RawDatabase(file);
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = NORMAL');
      const log = new WalSync(file);
      for (const table of ['a', 'b']) {
        database.exec(`CREATE TABLE ${table} (n)`);
        await Promise.all([log.sync(), log.sync()]);
      }
      await log.close();
      database.close();
    });
  });

  it('is refused once it has failed, since the disk may have lost what it was about', async () => {
    await withTempDir(async (directory) => {
      const file = join(directory, 'test.db');
      const log = new WalSync(file);
      await expect(log.sync()).rejects.toMatchObject({ code: 'ENOENT' });
      const database = new RawDatabase(file);
      database.pragma('journal_mode = WAL');
      database.exec('CREATE TABLE a (n)');
      await expect(log.sync()).rejects.toMatchObject({ code: 'ENOENT' });
      await log.close();
      database.close();
    });
  });
});
