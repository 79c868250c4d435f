import { spawn } from 'node:child_process';

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a command by a shell to its end, and gives all that it wrote. */
export async function runIn(command: string, options: RunOptions): Promise<Ran> {
  const child = spawn('sh', ['-c', command], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, output };
}

/** @throws Error with what the command wrote, when its code is not 0 */
export async function mustRun(command: string, options: RunOptions): Promise<string> {
  const { code, output } = await runIn(command, options);
  if (code === 0) return output;
  throw new Error(`${command} ended with ${code}:\n${output}`);
}
