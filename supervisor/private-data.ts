import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a data folder of ours has from its first start on: another folder is not ours to close. */
const MARK = 'supervisor.lock';

/**
 * Makes a data folder that only its user can read. A folder from an earlier version is closed to other
 * users with all that is in it, and an empty one of this user before anything is in it.
 */
export function makePrivateData(dataDir: string): void {
  const made = mkdirSync(dataDir, { recursive: true, mode: 0o700 }) !== undefined;
  const ours = made || isOurs(dataDir);
  writeFileSync(join(dataDir, MARK), '', { flag: 'a' });
  if (made || !ours) return;
  chmodSync(dataDir, 0o700);
  for (const entry of readdirSync(dataDir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o700);
    else if (entry.isFile()) chmodSync(path, 0o600);
  }
}

function isOurs(dataDir: string): boolean {
  if (existsSync(join(dataDir, MARK))) return true;
  // Only its owner may close a folder: one that is shared by its group can be used as it is.
  return readdirSync(dataDir).length === 0 && statSync(dataDir).uid === process.getuid?.();
}
