import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../system/index.ts';

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  /** What went to standard output alone. */
  readonly lines: readonly string[];
}

/** A project of its own in an empty folder, with this repository's scripts. */
export class SmallProject {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    for (const folder of ['scripts', 'bin']) {
      cpSync(join(projectRoot, folder), join(root, folder), { recursive: true });
    }
    this.write('package.json', { type: 'module', engines: { node: '>=20.19' } });
  }

  /** Writes a file; what is not text becomes JSON. */
  write(path: string, content: unknown): void {
    mkdirSync(join(this.root, dirname(path)), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Makes a file older or newer than it is. */
  touch(path: string, secondsFromNow: number): void {
    const time = new Date(Date.now() + secondsFromNow * 1000);
    utimesSync(join(this.root, path), time, time);
  }

  /** Gives it the real compiler, so that its packages look installed as the lockfile wants. */
  install(packages: Readonly<Record<string, object>> = {}): void {
    this.write('package-lock.json', { packages: { '': {}, ...packages } });
    this.write('node_modules/.package-lock.json', { packages });
    for (const name of ['typescript', '@typescript']) {
      symlinkSync(join(projectRoot, 'node_modules', name), join(this.root, 'node_modules', name));
    }
  }

  /** Runs one of the scripts, with no input and as in CI. */
  async run(
    script: string,
    parameters: readonly string[] = [],
    variables: Readonly<Record<string, string>> = {},
    hear: (output: string) => void = () => {},
  ): Promise<Outcome> {
    const child = spawn(process.execPath, [join(this.root, 'scripts', script), ...parameters], {
      cwd: this.root,
      env: { ...process.env, CI: 'true', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      stdout += text;
      hear(output);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      hear(output);
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, output, lines: stdout.trimEnd().split('\n') };
  }
}
