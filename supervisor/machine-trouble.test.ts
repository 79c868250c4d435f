import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ConfigurationError } from '../chassis/index.ts';
import { withTempDir } from '../tests/support/index.ts';
import { withRemedy } from './machine-trouble.ts';

const errorOf = (code: string, message: string): Error =>
  Object.assign(new Error(message), { code });

it('says what to do about a full disk and a folder that may not be written to', () =>
  withTempDir(async (dataDir) => {
    for (const code of ['ENOSPC', 'SQLITE_FULL']) {
      expect(withRemedy(errorOf(code, 'no space left\n    at stack'), dataDir)).toMatchObject({
        name: 'StartFailed',
        message: expect.stringMatching(
          /^the disk that holds \/.* is full; .*FIG_DATA_DIR.*left\)$/,
        ),
      });
    }
    expect(withRemedy(errorOf('EROFS', 'read-only'), dataDir)).toMatchObject({
      message: expect.stringContaining("can't be written to"),
    });
  }));

it('leaves alone what has nothing to do with the disk', () =>
  withTempDir(async (dataDir) => {
    const folder = join(dataDir, 'data');
    mkdirSync(folder);
    for (const error of [new ConfigurationError('a port'), new TypeError('a fault of ours')]) {
      expect(withRemedy(error, folder)).toBe(error);
    }
  }));
