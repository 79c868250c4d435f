import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

interface ShellOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

const COMMAND_MS = 60_000;

/** One bash that runs command after command, as a person's does: variables and functions stay. */
export class Shell {
  readonly #bash: ChildProcess;
  readonly #mark = `end of ${randomUUID()}`;
  #printed = '';
  #onOutput: () => void = () => undefined;

  constructor({ cwd, env }: ShellOptions) {
    this.#bash = spawn('bash', ['--noprofile', '--norc'], {
      cwd,
      env,
      // A group of its own, so that whatever still runs can be ended with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#bash.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
      this.#onOutput();
    });
    this.#bash.stdin?.write('exec 2>&1\n');
  }

  /**
   * Runs a command to its end.
   * @returns everything it printed, to standard output and standard error, as a terminal shows it
   * @throws an error with what was printed so far when it takes longer than a minute
   */
  async run(command: string): Promise<string> {
    // Without input of its own, a command would read the following ones.
    this.#bash.stdin?.write(`{ ${command}\n} < /dev/null\necho '${this.#mark}'\n`);
    const end = await this.#until(command);
    const printed = this.#printed.slice(0, end).replaceAll('\r\n', '\n');
    this.#printed = this.#printed.slice(end + this.#mark.length + 1);
    return printed;
  }

  #until(command: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${command}\nstill runs after ${COMMAND_MS} ms:\n${this.#printed}`));
      }, COMMAND_MS);
      this.#onOutput = () => {
        const end = this.#printed.indexOf(this.#mark);
        if (end === -1) return;
        clearTimeout(timer);
        resolve(end);
      };
      this.#onOutput();
    });
  }

  /** Ends the shell and what it still runs in the background. */
  async close(): Promise<void> {
    if (this.#bash.pid === undefined || this.#bash.exitCode !== null) return;
    const closed = once(this.#bash, 'close');
    process.kill(-this.#bash.pid, 'SIGTERM');
    await closed;
  }
}
