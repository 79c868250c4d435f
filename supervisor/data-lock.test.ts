import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../tests/support/index.ts';
import { AlreadyRunning, lockData } from './data-lock.ts';

/** No process has such an id. */
const GONE = 2 ** 22 + 1;

describe("the data folder's lock", () => {
  it('is held by one process, whose id it names, until it is released', () =>
    withTempDir(async (folder) => {
      const lock = await lockData(folder);
      await expect(lockData(folder)).rejects.toThrow(AlreadyRunning);
      await expect(lockData(folder)).rejects.toThrow(`(process ${process.pid})`);
      lock.release();
      expect(existsSync(join(folder, 'supervisor.pid'))).toBe(false);
      (await lockData(folder)).release();
    }));

  it.each([
    ['whose process is gone', GONE, Date.now()],
    ['whose process got its id after it was made', process.pid, Date.now() - 86_400_000],
    ['that holds no id', 'nothing', Date.now()],
  ])('is replaced by one of many at a time: one %s', (_name, pid, madeAt) =>
    withTempDir(async (folder) => {
      const file = join(folder, 'supervisor.pid');
      writeFileSync(file, `${pid}\n`);
      utimesSync(file, madeAt / 1_000, madeAt / 1_000);
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => lockData(folder)));
      expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const attempt of attempts) {
        if (attempt.status === 'rejected') expect(attempt.reason).toBeInstanceOf(AlreadyRunning);
      }
    }),
  );
});
