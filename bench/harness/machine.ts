import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** Where figures were measured: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Tools that took part, such as the load generator, with their versions. */
  readonly tools: Readonly<Record<string, string>>;
}

/** Describes this machine. */
export function describeMachine(tools: Readonly<Record<string, string>> = {}): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e8) / 10,
    system: `${type()} ${release()}`,
    node: process.version,
    tools,
  };
}
