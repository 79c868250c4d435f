import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `work` while no other process does so with the same file: two terminals may both find the
 * packages missing. A lock whose owner is dead is taken over.
 *
 * @param {string} file
 * @param {() => void} work
 */
export async function withLock(file, work) {
  for (let told = false; !take(file); told = true) {
    if (!told) console.error('prepare: waiting for another prepare to finish');
    await delay(200);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  work();
  process.off('exit', release);
  release();
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!ownerLives(file)) rmSync(file, { force: true });
    return false;
  }
}

function ownerLives(file) {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
