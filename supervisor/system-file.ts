import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `system.json` in the data folder tells the CLI, the rehearsal and the next start. */
export interface SystemFile {
  /** The supervisor. */
  readonly pid: number;
  readonly startedAt: string;
  readonly redisUrl: string;
  readonly flagsFile: string;
  readonly processes: Readonly<Record<string, ProcessEntry>>;
  /** Variables by which a tool reaches the same processes and databases. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ProcessEntry {
  readonly pid: number;
  readonly url: string;
  readonly adminUrl?: string;
}

function pathIn(dataDir: string): string {
  return join(dataDir, 'system.json');
}

/** Replaces the file in one step: a reader sees the old one or the new one, never a half. */
export function writeSystemFile(dataDir: string, content: SystemFile): void {
  const fresh = `${pathIn(dataDir)}.${process.pid}.new`;
  // Database URLs may hold a password.
  writeFileSync(fresh, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, pathIn(dataDir));
}

/** The system of a data folder, running or left behind; undefined when there is none. */
export function readSystemFile(dataDir: string): SystemFile | undefined {
  try {
    return JSON.parse(readFileSync(pathIn(dataDir), 'utf8')) as SystemFile;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function removeSystemFile(dataDir: string): void {
  rmSync(pathIn(dataDir), { force: true });
}
