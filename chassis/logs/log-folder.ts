import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** A process's file begins anew at this size; the one before is kept. */
const FILE_BYTES = 8_000_000;
const SUFFIX = '.log';
const FORMER = '.1';
const CHUNK_BYTES = 65_536;

/** Where the lines of all processes are kept: a file for each of them. */
export function logFolder(dataDir: string): string {
  return join(dataDir, 'logs');
}

/** The processes that have a file there, in the order of their names. */
export function loggedProcesses(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Writes lines of processes to their files, of which none grows for ever. */
export class LogWriter {
  readonly #folder: string;
  readonly #bytes: number;
  readonly #files = new Map<string, number>();

  /** @param bytes at which a file begins anew */
  constructor(folder: string, bytes = FILE_BYTES) {
    this.#folder = folder;
    this.#bytes = bytes;
  }

  /** What can't be written, as on a full disk, is lost: no process ends for its log. */
  write(name: string, line: string): void {
    try {
      const file = this.#fileOf(name);
      writeSync(file, `${line}\n`);
      if (fstatSync(file).size < this.#bytes) return;
      closeSync(file);
      this.#files.delete(name);
      const path = pathOf(this.#folder, name);
      renameSync(path, path + FORMER);
    } catch {
      this.#files.delete(name);
    }
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #fileOf(name: string): number {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    mkdirSync(this.#folder, { recursive: true });
    const file = openSync(pathOf(this.#folder, name), 'a', 0o600);
    this.#files.set(name, file);
    return file;
  }
}

/** Reads what a process has written, and then what it writes. */
export class LogReader {
  readonly name: string;
  readonly #path: string;
  /** Of the file that is read; undefined before the first call. */
  #inode: number | undefined;
  #offset = 0;
  /** The beginning of a line whose end is not written yet. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(folder: string, name: string) {
    this.name = name;
    this.#path = pathOf(folder, name);
  }

  /** The lines since the last call, whole ones alone; at first, all that is kept. */
  next(): readonly string[] {
    const inode = inodeOf(this.#path);
    const former = inodeOf(this.#path + FORMER);
    this.#inode ??= former || inode;
    const isAside = former !== 0 && former === this.#inode;
    // Put aside since the last call: it is read to its end first.
    const before = isAside ? this.#read(this.#path + FORMER) : [];
    if (inode === 0) return before;
    if (inode !== this.#inode) this.#offset = 0;
    this.#inode = inode;
    return [...before, ...this.#read(this.#path)];
  }

  #read(path: string): string[] {
    const file = openSync(path, 'r');
    try {
      const pieces = [this.#rest];
      for (;;) {
        const piece = Buffer.alloc(CHUNK_BYTES);
        const bytes = readSync(file, piece, 0, CHUNK_BYTES, this.#offset);
        if (bytes === 0) break;
        this.#offset += bytes;
        pieces.push(piece.subarray(0, bytes));
      }
      const text = Buffer.concat(pieces);
      const end = text.lastIndexOf('\n') + 1;
      this.#rest = Buffer.from(text.subarray(end));
      return text.toString('utf8', 0, end).split('\n').slice(0, -1);
    } finally {
      closeSync(file);
    }
  }
}

function pathOf(folder: string, name: string): string {
  return join(folder, name + SUFFIX);
}

/** 0 where there is no file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
