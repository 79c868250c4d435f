import type { Environment, Logger } from '../chassis/index.ts';
import type { LogSink } from './log-sink.ts';
import type { ProcessDefinition } from './process-definition.ts';
import type { PortChoice } from './variables.ts';

export type Variables = Readonly<Record<string, string>>;

/** What a process finds around it. */
export interface Surroundings {
  readonly dataDir: string;
  /** The environment that it inherits, with the variables that all share. */
  readonly env: Environment;
  readonly log: Logger;
}

export interface ProcessesOptions {
  /** Absolute path of the folder of all that they keep. */
  readonly dataDir: string;
  /** The environment that processes inherit. */
  readonly env: Environment;
  /** Gives the variables that all of them share, also with commands in another terminal; before anything is written. */
  readonly variables: () => Promise<Variables>;
  /** In the order in which they start; each knows those before it. */
  readonly processes: readonly ProcessDefinition[];
  /** Whether they need a Redis: that of REDIS_URL, or a private one. */
  readonly redis: boolean;
  /** Where a Redis that is downloaded is kept. */
  readonly redisCache?: string;
  readonly ports: PortChoice;
  /** Where they run, which relative paths of theirs begin at. */
  readonly cwd: string;
  /** Where lines go; files in `<data folder>/logs` when absent. */
  readonly log?: LogSink;
  /** How the first flag file of a data folder is made: the words of `fig flags init`; undefined where it is not to be. */
  readonly flags: (surroundings: Surroundings) => readonly string[] | undefined;
  /** What has to be done before a process may start. */
  readonly before?: (process: string, surroundings: Surroundings) => Promise<void>;
  /** False: the system is there when all have started, whether they are ready or not. */
  readonly awaitReady?: boolean;
  /** Gives up starting: what has started is stopped. */
  readonly signal?: AbortSignal | undefined;
}
