import { CommandFailed, run } from './command.ts';

/** A Redis server that can be started on this machine. */
export interface RedisBinary {
  readonly path: string;
  /** What the program needs in its environment, such as where its libraries are. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where the search says what it does: a log, or a terminal before anything runs. */
export interface Progress {
  info(message: string): void;
  info(facts: object, message: string): void;
}

/** Whether the program runs here at all: a cached one may be of another system. */
export async function redisRuns(binary: RedisBinary): Promise<boolean> {
  try {
    await run(binary.path, ['--version'], { env: { ...process.env, ...binary.env } });
    return true;
  } catch (error) {
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}
