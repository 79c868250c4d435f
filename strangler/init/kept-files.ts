import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../chassis/index.ts';

/** A file as it should be written. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
}

/** What became of one. */
export interface WrittenFile {
  readonly name: string;
  readonly outcome: 'written' | 'unchanged' | 'kept';
}

/** Begins and ends a comment, by the ending of the file's name. */
const COMMENTS: Readonly<Record<string, readonly [start: string, end: string]>> = {
  ts: ['// ', ''],
  sql: ['-- ', ''],
  md: ['<!-- ', ' -->'],
};

const STAMP = /fig init wrote this file \(([0-9a-f]{12})\)/;

/**
 * Writes files of a folder, and leaves alone those that a person has changed: the first line of each says what was
 * written.
 */
export async function writeFiles(
  directory: string,
  files: readonly NewFile[],
): Promise<readonly WrittenFile[]> {
  const written: WrittenFile[] = [];
  for (const file of files) written.push(await writeOne(directory, file));
  return written;
}

async function writeOne(directory: string, { name, text }: NewFile): Promise<WrittenFile> {
  const path = join(directory, name);
  const stamped = `${stampOf(name, text)}\n${text}`;
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (before === stamped) return { name, outcome: 'unchanged' };
  if (before !== undefined && wasChanged(before)) return { name, outcome: 'kept' };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, stamped);
  return { name, outcome: 'written' };
}

function stampOf(name: string, text: string): string {
  const [start, end] = COMMENTS[name.split('.').at(-1) ?? ''] ?? ['', ''];
  return `${start}fig init wrote this file (${hashOf(text)}) and leaves it alone once it is changed.${end}`;
}

function wasChanged(whole: string): boolean {
  const end = whole.indexOf('\n');
  const [, hash] = STAMP.exec(whole.slice(0, end)) ?? [];
  return hash !== hashOf(whole.slice(end + 1));
}

function hashOf(text: string): string {
  return sha256(text).slice(0, 12);
}
