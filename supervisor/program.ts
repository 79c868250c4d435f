import { CommandFailed, run } from './command.ts';

/** A program that can be started on this machine. */
export interface Program {
  readonly path: string;
  /** What the program needs in its environment, such as where its libraries are. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder of unpacked packages that it is in, if it is in one. */
  readonly root?: string;
}

/** The user and group that a program runs as, where that is not us. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Where the search says what it does: a log, or a terminal before anything runs. */
export interface Progress {
  info(message: string): void;
  info(facts: object, message: string): void;
}

/** Whether the program runs here at all: a cached one may be of another system. */
export async function programRuns({ path, env }: Program, identity?: Identity): Promise<boolean> {
  try {
    await run(path, ['--version'], { ...identity, env: { ...process.env, ...env }, cwd: '/' });
    return true;
  } catch (error) {
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}
