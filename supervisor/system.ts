import type { Death, Rebirth } from './supervised.ts';

/** A running system: where it is, and the ways to hurt it that tests and rehearsals need. */
export interface System {
  readonly dataDir: string;
  /** Base URL by process name, and `admin` for the admin app. */
  readonly urls: Readonly<Record<string, string>>;
  readonly redisUrl: string;
  /** Variables by which a tool reaches the same processes and databases. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of all processes, Redis too unless it is not ours, in the order in which they started. */
  readonly names: readonly string[];
  /** Process id; undefined between a death and the next start. */
  pid(name: string): number | undefined;
  /** Sends a signal, SIGKILL by default, and waits for the death. The process is started again. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Stops a process in its tracks (SIGSTOP). */
  pause(name: string): void;
  resume(name: string): void;
  /**
   * Waits until every process, or the one that is named, answers `/readyz` with 200.
   * @throws StartFailed with the reason that the process gives when `timeoutMs` pass before, a minute when left out
   */
  ready(name?: string, timeoutMs?: number): Promise<void>;
  /** Power loss: everything dies at once, by SIGKILL, and nothing is started again. */
  killAll(): Promise<void>;
  /** Stops every process in reverse order. May be called again. */
  stop(): Promise<void>;
  /** Called at each death that nobody asked `stop` for; returns a function that ends this. */
  onExit(callback: (death: Death) => void): () => void;
  /** Called when a process serves again after a death. */
  onRestart(callback: (rebirth: Rebirth) => void): () => void;
  /** The last lines of a process's log. */
  logTail(name: string, lines?: number): string;
}
