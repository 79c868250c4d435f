import type { System } from '../../system/index.ts';

interface Notes {
  /** Evaluated when a test has failed. */
  readonly shown: (() => string)[];
  /** Set in the command that runs the test again. */
  readonly variables: Record<string, string>;
}

/** Shared with jest's environment, which prints it; other programs that use these helpers have none. */
const NOTES = Symbol.for('fig.tests.notes');
const TAIL_LINES = 15;

function notes(): Notes | undefined {
  return (globalThis as { [NOTES]?: Notes })[NOTES];
}

/**
 * Has a text printed with the failure of the test that runs, or of each test of the file when none runs
 * yet.
 */
export function onFailure(text: () => string): void {
  notes()?.shown.push(text);
}

/** A seed that a variable of the environment replaces; the command that a failure names sets it. */
export function seedFrom(variable: string, otherwise: number): number {
  const seed = Number(process.env[variable] ?? otherwise);
  const found = notes();
  if (found) found.variables[variable] = String(seed);
  return seed;
}

/** What every process of a system logged last. */
function lastLines(system: System): string {
  return ['supervisor', ...system.names]
    .map((name) => `--- the last lines of ${name}\n${system.logTail(name, TAIL_LINES)}`)
    .join('\n');
}

/**
 * What every process of a system logged last, as long as anybody asks: a system's logs may be removed as
 * soon as it has ended.
 */
export function keepLastLines(system: System): () => string {
  let lines: string | undefined;
  const [stop, killAll] = [system.stop.bind(system), system.killAll.bind(system)];
  const keeping = (end: () => Promise<void>) => async () => {
    await end();
    lines = lastLines(system);
  };
  Object.assign(system, { stop: keeping(stop), killAll: keeping(killAll) });
  return () => lines ?? lastLines(system);
}

/** By data folder: a system that was started there again goes on with the same logs. */
const shown = new Map<string, () => string>();

/** Has the last lines of a system's processes printed with a failure, also after its end. */
export function showOnFailure(system: System): System {
  const { dataDir } = system;
  if (!shown.has(dataDir)) onFailure(() => shown.get(dataDir)?.() ?? '');
  shown.set(dataDir, keepLastLines(system));
  return system;
}
