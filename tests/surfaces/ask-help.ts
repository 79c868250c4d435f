/**
 * Asks programs for their help, one after the other in this one process. Each is loaded by its
 * compiled file, as `npm run` does; what it writes is what it tells a terminal of 80 columns.
 */
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';

const write = process.stdout.write.bind(process.stdout);
let said = '';
process.stdout.write = (chunk: string | Uint8Array): boolean => {
  said += String(chunk);
  return true;
};
process.exit = (): never => {
  throw new Ended();
};

class Ended extends Error {}

const programs = JSON.parse(process.argv[2] ?? '[]') as [name: string, file: string][];
for (const [name, file] of programs) {
  if (name === 'fig') await askFig();
  else if (name === 'shop') await askShop();
  else await askProgram(name, file);
}
process.exitCode = 0;

async function askProgram(name: string, file: string): Promise<void> {
  said = '';
  process.argv = [process.execPath, file, '--help'];
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  if (said === '') throw new Error(`npm run ${name} -- --help says nothing`);
  tell(`npm run ${name}`, said);
}

async function askFig(): Promise<void> {
  // By its compiled file, like the others: the command line is no public module of the engine's.
  const at = (path: string): string => new URL(`../../strangler/cli/${path}`, import.meta.url).href;
  const { createProgram } = (await import(at('program.js'))) as {
    readonly createProgram: (run: () => Promise<void>) => Promise<Command>;
  };
  for (const words of wordsOf(await createProgram(() => Promise.resolve()))) {
    const { runCommand } = (await import(at('run.js'))) as {
      readonly runCommand: (words: readonly string[]) => Promise<number>;
    };
    said = '';
    await runCommand([...words, '--help']);
    tell(['fig', ...words].join(' '), said);
  }
}

async function askShop(): Promise<void> {
  const at = (path: string): string => new URL(`../../monolith/cli/${path}`, import.meta.url).href;
  const { createShopProgram } = (await import(at('program.js'))) as {
    readonly createShopProgram: (run: () => Promise<void>) => Command;
  };
  const { runShop } = (await import(at('run.js'))) as {
    readonly runShop: (words: readonly string[], migrations: readonly []) => Promise<number>;
  };
  for (const words of wordsOf(createShopProgram(() => Promise.resolve()))) {
    said = '';
    await runShop([...words, '--help'], []);
    tell(['shop', ...words].join(' '), said);
  }
}

/** The words of every command, parents first. */
function wordsOf(command: Command, before: readonly string[] = []): readonly (readonly string[])[] {
  return [before, ...command.commands.flatMap((each) => wordsOf(each, [...before, each.name()]))];
}

function tell(title: string, text: string): void {
  const trimmed = text.split('\n').map((line) => line.trimEnd());
  write(`=== ${title}\n\n${trimmed.join('\n').trim()}\n\n`);
}
