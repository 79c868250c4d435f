import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerSettings } from '../../../chassis/index.ts';
import { runCommand } from '../../../strangler/cli/run.ts';
import type { Surroundings } from '../../../chassis/cli/index.ts';
import type { EngineDeps } from '../../../strangler/engine/index.ts';
import { flagsFileOf, withEngine } from './engine.ts';
import type { RunningEngine } from './engine.ts';
import { withSides } from './sides.ts';
import type { Sides } from './sides.ts';

/** What one command line gave. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process, as if it were a process of its own. */
export type Fig = (
  line: string,
  env?: Readonly<Record<string, string>>,
  stdin?: Surroundings['stdin'],
) => Promise<Ran>;

/**
 * Writes down a system as `npm start` does, and gives a command line that finds it.
 * @param capability whose mapping the module of that name in this folder exports
 * @param others capabilities of which no rows move
 * @param deadLetters an application that lists dead letters
 */
export async function figFor(
  sides: Sides,
  engineUrl: string,
  capability: 'shop' | 'desk' | 'till' = 'shop',
  others: readonly string[] = [],
  deadLetters?: string | ServerSettings,
): Promise<Fig> {
  const folder = dirname(sides.legacy.name);
  const config = join(folder, 'fig.config.mjs');
  const unused = 'http://127.0.0.1:9';
  const routed = (name: string) => ({ legacy: 'old', extracted: 'new', routes: [`/${name}/*`] });
  const declaration = {
    upstreams: { old: deadLetters ?? unused, new: unused },
    monolith: 'old',
    deadLetters: deadLetters === undefined ? [] : ['old'],
    capabilities: {
      [capability]: { ...routed(capability), databases: sides.urls },
      ...Object.fromEntries(others.map((name) => [name, routed(name)])),
    },
  };
  await writeFile(
    config,
    `import { ${capability} } from ${JSON.stringify(new URL(`${capability}.ts`, import.meta.url))};
     const config = ${JSON.stringify(declaration)};
     config.capabilities.${capability}.mapping = ${capability};
     if (${capability}.cohortKey) config.capabilities.${capability}.cohorts = { header: 'x-customer-id' };
     export default config;`,
  );
  const env = { ENGINE_URL: engineUrl, FIG_CONFIG: config, FIG_FLAGS_FILE: flagsFileOf(sides) };
  await writeFile(join(folder, 'system.json'), JSON.stringify({ env }));
  return async (line, more = {}, stdin) => {
    let [stdout, stderr] = ['', ''];
    const code = await runCommand(line.split(' ').filter(Boolean), {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      // Tests mean what they say, but for those that are about being asked.
      env: { FIG_DATA_DIR: folder, ...(stdin ? {} : { FIG_YES: '1' }), ...more },
      ...(stdin ? { stdin } : {}),
    });
    return { code, stdout, stderr };
  };
}

/** Somebody at a terminal, who answers once. */
export function terminal(answer: string): Surroundings['stdin'] {
  return Object.assign(Readable.from([`${answer}\n`]), { isTTY: true });
}

/** The shop with two levels, an engine that leads, and a command line. */
export function withFig<T>(
  use: (fig: Fig, running: RunningEngine, sides: Sides) => Promise<T>,
  options: (sides: Sides) => Partial<EngineDeps> = () => ({}),
): Promise<T> {
  return withSides((sides) =>
    withEngine(sides, options(sides), async (running) => {
      sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0), ('b', 7, 1)");
      while ((await running.status()).standing.as !== 'leader') await delay(10);
      return use(await figFor(sides, running.url), running, sides);
    }),
  );
}
