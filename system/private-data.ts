import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a data folder of ours has from its first start on: another folder is not ours to close. */
const MARK = 'supervisor.lock';

/** Makes a data folder that is its user's alone; one of an earlier version is closed to others, too. */
export function makePrivateData(dataDir: string): void {
  const made = mkdirSync(dataDir, { recursive: true, mode: 0o700 }) !== undefined;
  if (made || !existsSync(join(dataDir, MARK))) return;
  chmodSync(dataDir, 0o700);
  for (const entry of readdirSync(dataDir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o700);
    else if (entry.isFile()) chmodSync(path, 0o600);
  }
}
