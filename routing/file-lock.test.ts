import { linkSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../tests/support/index.ts';
import { removeLock, seenLock, withFileLock } from '../chassis/index.ts';
import type { SeenLock } from '../chassis/index.ts';
import { createFlagFile, setFlags } from './flag-file.ts';

const NAMES = Array.from({ length: 16 }, (_unused, index) => `flag${index}.reads`);

/** As a process leaves it that died while it wrote. */
function leaveLock(file: string): void {
  writeFileSync(`${file}.lock`, '');
  utimesSync(`${file}.lock`, 1_000, 1_000);
}

function featuresOf(file: string): Record<string, boolean> {
  const { features } = JSON.parse(readFileSync(file, 'utf8')) as {
    features: { name: string; enabled: boolean }[];
  };
  return Object.fromEntries(features.map(({ name, enabled }) => [name, enabled]));
}

describe('the lock of a flag file', () => {
  it('that a dead process left behind is taken by one writer, and none of the changes is lost', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'flags.json');
      await createFlagFile(file, NAMES);
      leaveLock(file);
      // All of them find the same lock before any of them has taken it.
      await Promise.all(NAMES.map((name) => setFlags(file, { [name]: 100 })));
      expect(featuresOf(file)).toEqual(Object.fromEntries(NAMES.map((name) => [name, true])));
      expect(readdirSync(folder)).toEqual(['flags.json']);
    }));

  it('is removed only by who has seen this very lock, not the next one of the same name', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'flags.json');
      leaveLock(file);
      const lock = `${file}.lock`;
      // Two processes find the dead one's lock.
      const [first, second] = [await seenLock(lock), await seenLock(lock)] as [SeenLock, SeenLock];
      expect(await removeLock(lock, first)).toBe(true);
      await withFileLock(lock, async () => {
        expect(await removeLock(lock, second)).toBe(false);
        expect(readdirSync(folder)).toEqual(['flags.json.lock']);
      });
      expect(readdirSync(folder)).toEqual([]);
    }));

  it('is removed by one of those who try at the same moment', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'flags.json');
      leaveLock(file);
      const seen = (await seenLock(`${file}.lock`)) as SeenLock;
      const removed = await Promise.all(NAMES.map(() => removeLock(`${file}.lock`, seen)));
      expect(removed.filter(Boolean)).toHaveLength(1);
    }));

  it('that was taken away from a writer who slept is not taken from its new holder', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'flags.json');
      const lock = `${file}.lock`;
      await withFileLock(lock, async () => {
        leaveLock(file);
        await removeLock(lock, (await seenLock(lock)) as SeenLock);
        leaveLock(file);
      });
      expect(readdirSync(folder)).toEqual(['flags.json.lock']);
    }));

  it('that nobody removes any more is told of by name', () =>
    withTempDir(async (folder) => {
      const lock = join(folder, 'flags.json.lock');
      leaveLock(join(folder, 'flags.json'));
      const { ino, mtimeNs } = (await seenLock(lock)) as SeenLock;
      // As a process leaves it that died just before it removed the lock.
      linkSync(lock, `${lock}.${ino}-${mtimeNs}`);
      await expect(withFileLock(lock, async () => undefined, 50)).rejects.toThrow(
        `${lock} has been there for 50 ms; if no fig or engine is writing flags, delete it and ${lock}.*`,
      );
    }));
});
