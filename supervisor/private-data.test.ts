import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../tests/support/index.ts';
import { makePrivateData } from './private-data.ts';

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/** Gives `use` the path of a data folder that has the mode of most folders, with these files in it. */
function withFolder(files: readonly string[], use: (path: string) => void): Promise<void> {
  return withTempDir((parent) => {
    const path = join(parent, 'data');
    mkdirSync(path);
    for (const name of files) {
      writeFileSync(join(path, name), '');
      chmodSync(join(path, name), 0o644);
    }
    chmodSync(path, 0o755);
    use(path);
    return Promise.resolve();
  });
}

describe('the data folder', () => {
  it('is made for its user only', () =>
    withTempDir((parent) => {
      const path = join(parent, 'a', 'data');
      makePrivateData(path);
      expect(modeOf(path)).toBe(0o700);
      return Promise.resolve();
    }));

  it('is closed to other users while it is empty, whoever made it', () =>
    withFolder([], (path) => {
      makePrivateData(path);
      expect(modeOf(path)).toBe(0o700);
    }));

  it('is closed to other users with its files where an earlier version made it', () =>
    withFolder(['supervisor.lock', 'monolith.db'], (path) => {
      makePrivateData(path);
      expect(modeOf(path)).toBe(0o700);
      expect(modeOf(join(path, 'monolith.db'))).toBe(0o600);
    }));

  it('stays as it is where it has files of something else', () =>
    withFolder(['notes.txt'], (path) => {
      makePrivateData(path);
      expect(modeOf(path)).toBe(0o755);
      expect(modeOf(join(path, 'notes.txt'))).toBe(0o644);
    }));
});
