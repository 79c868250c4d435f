import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { lives, startedAt } from './process.js';

/** The clocks that a start is read from are exact to a second each. */
const SAME_START_MS = 3_000;

/**
 * Runs `work` while no other process does so with the same file: two terminals may both find the
 * packages missing. The file names its owner by process id and start; one that names nobody who
 * lives is taken over.
 *
 * @param {string} file
 * @param {(text: string) => void} say
 * @param {() => Promise<void>} work
 */
export async function withLock(file, say, work) {
  for (let told = false; !take(file);) {
    const owner = ownerOf(read(file));
    if (owner !== undefined && !told) {
      say(`waiting for process ${owner} to finish the same, which holds ${file}`);
      told = true;
    }
    await delay(200);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** The file appears with all that it says, or not at all: a full disk leaves no empty one. */
function take(file) {
  const own = `${file}.${process.pid}`;
  try {
    writeFileSync(own, JSON.stringify({ pid: process.pid, startedAt: startedAt(process.pid) }));
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    clearStale(file, own);
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moves a lock of nobody's out of the way, and puts it back when another one was there by then. */
function clearStale(file, own) {
  const seen = read(file);
  if (seen === undefined || ownerOf(seen) !== undefined) return;
  const aside = `${own}.stale`;
  try {
    renameSync(file, aside);
    if (read(aside) !== seen) linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The process that a lock names, if it still is the one that wrote it. */
function ownerOf(text) {
  const { pid, startedAt: then } = parse(text);
  if (!Number.isInteger(pid) || !lives(pid)) return undefined;
  const now = startedAt(pid);
  // Where a system does not tell starts, the id has to do.
  if (now === undefined && then === undefined) return pid;
  return Math.abs(now - then) <= SAME_START_MS ? pid : undefined;
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
