import { spawn } from 'node:child_process';

/** The tables that `order-writer` writes to. */
export const ORDERS = `CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total INTEGER);
  CREATE TABLE order_lines (order_id, item, amount, PRIMARY KEY (order_id, item))`;

/** Runs one of this folder's writers as a process of its own and returns what it printed. */
export function runWriter<T>(
  script: string,
  ...parameters: readonly (string | number)[]
): Promise<T> {
  // The programs run from the build, side by side.
  const file = new URL(`${script}.js`, import.meta.url).pathname;
  const child = spawn(process.execPath, [file, ...parameters.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as T);
      else reject(new Error(`${script} ended with ${code}`));
    });
  });
}
