import { spawn } from 'node:child_process';

/** What was to be done failed for a reason that the message tells in full. */
export class PrepareFailed extends Error {}

/**
 * Runs a command to its end.
 *
 * @param {string[]} command
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ end: number | string, output: string }>} its exit code, or the signal or error
 *   that ended it; and what it wrote, where that was piped
 */
export function run([file, ...parameters], options) {
  return new Promise((resolve) => {
    const child = spawn(file, parameters, options);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const stop = () => child.kill();
    process.once('exit', stop);
    child.once('close', () => process.off('exit', stop));
    child.once('error', (error) => resolve({ end: error.message, output }));
    child.once('close', (code, signal) => resolve({ end: signal ?? code, output }));
  });
}
