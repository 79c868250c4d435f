import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../../../tests/support/index.ts';
import { IdentityKey } from './identity-key.ts';

const NOBODY = 65_534;

/** Root writes where others can't. */
function asNobody<T>(use: () => T): T {
  if (process.geteuid?.() !== 0) return use();
  process.seteuid?.(NOBODY);
  try {
    return use();
  } finally {
    process.seteuid?.(0);
  }
}

/** A folder that holds a key and can only be read, as a mounted secret. */
function withMountedKey(use: (file: string, folder: string) => Promise<void>): Promise<void> {
  return withTempDir(async (made) => {
    const { jwks } = new IdentityKey({ FIG_DATA_DIR: made });
    expect(JSON.parse(await readFile(join(made, 'identity-keys.json'), 'utf8'))).toEqual(jwks);
    await withTempDir(async (folder) => {
      const file = join(folder, 'identity-key.pem');
      await writeFile(file, await readFile(join(made, 'identity-key.pem')));
      await chmod(file, 0o444);
      await chmod(folder, 0o555);
      try {
        await use(file, folder);
      } finally {
        await chmod(folder, 0o755);
      }
    });
  });
}

describe('the key that signs identities', () => {
  it('may lie in a folder that can only be read, which stays as it is', () =>
    withMountedKey(async (file, folder) => {
      const { jwks } = asNobody(() => new IdentityKey({ FIG_IDENTITY_KEY_FILE: file }));
      expect(jwks.keys).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['identity-key.pem']);
    }));

  it('is refused beside the published keys of another one, which could not be replaced', () =>
    withMountedKey(async (file, folder) => {
      await chmod(folder, 0o755);
      await writeFile(join(folder, 'identity-keys.json'), '{"keys":[]}');
      await chmod(join(folder, 'identity-keys.json'), 0o444);
      await chmod(folder, 0o555);
      expect(() => asNobody(() => new IdentityKey({ FIG_IDENTITY_KEY_FILE: file }))).toThrow(
        /EACCES/,
      );
    }));
});
