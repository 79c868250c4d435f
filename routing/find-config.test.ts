import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../tests/support/index.ts';
import { configFile, dataFolder } from './find-config.ts';

/** Gives `use` a folder and one far below it. */
function withFolders(use: (top: string, below: string) => void): Promise<void> {
  return withTempDir((top) => {
    const below = join(top, 'a', 'b');
    mkdirSync(below, { recursive: true });
    use(top, below);
    return Promise.resolve();
  });
}

describe('the configuration', () => {
  it('is the nearest of the folder and those above it, and its data is beside it', () =>
    withFolders((top, below) => {
      const far = join(top, 'fig.config.yaml');
      writeFileSync(far, '');
      expect(configFile({}, below)).toBe(far);
      const near = join(top, 'a', 'fig.config.json');
      writeFileSync(near, '');
      expect(configFile({}, below)).toBe(near);
      expect(configFile({}, top)).toBe(far);
      expect(dataFolder({}, below)).toBe(join(top, 'a', '.fig'));
    }));

  it('is the one that is named, wherever it is', () =>
    withFolders((top, below) => {
      writeFileSync(join(below, 'fig.config.ts'), '');
      expect(configFile({ FIG_CONFIG: '../../other.yaml' }, below)).toBe(join(top, 'other.yaml'));
      expect(dataFolder({ FIG_CONFIG: '../../other.yaml' }, below)).toBe(join(top, '.fig'));
      expect(dataFolder({ FIG_DATA_DIR: 'data' }, below)).toBe(join(below, 'data'));
    }));

  it('is missed with a word on how to come by one', () =>
    withFolders((_top, below) => {
      expect(() => configFile({}, below)).toThrow(/no fig\.config\.ts.+fig init writes one/);
      expect(dataFolder({}, below)).toBe(join(below, '.fig'));
    }));
});
