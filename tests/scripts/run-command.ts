import { spawn } from 'node:child_process';

/** Runs a command with no input to its end, and gives its exit code and all that it wrote. */
export async function runCommand(
  [file = '', ...parameters]: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly hear?: (output: string) => void;
  },
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { cwd, env, hear } = options;
  const child = spawn(file, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      hear?.(output);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
