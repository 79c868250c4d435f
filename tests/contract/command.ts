import { writeFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { reportText } from '../../contracts/cases/index.ts';
import type { Comparison } from '../../contracts/cases/index.ts';
import { compareSides } from './compare-sides.ts';
import type { Sides } from './compare-sides.ts';
import type { Capability } from './targets.ts';

type AllSides = Readonly<Record<Capability, Sides>>;

/**
 * `npm run contract [-- CAPABILITY...] [--json [FILE]]`.
 * @param args what follows `--`
 * @returns the exit code: 0 when both sides answer alike and keep the contract, 1 when not, 2 for
 *   arguments that make no sense
 */
export async function contractCommand(
  args: readonly string[],
  sides: AllSides,
  print: (text: string) => void,
): Promise<number> {
  const known = Object.keys(sides) as Capability[];
  const command = new Command('contract')
    .description('Compares, field by field, what the monolith and the services answer.')
    .argument('[capability...]', `some of ${known.join(', ')}; all of them when left out`)
    .option('--json [file]', 'the result as JSON, to a file or instead of the text')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print });
  try {
    command.parse(args, { from: 'user' });
    const unknown = command.args.filter((name) => !(name in sides));
    if (unknown.length > 0) {
      command.error(`error: ${unknown.join(', ')} is none of ${known.join(', ')}`);
    }
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  const asked = command.args.length > 0 ? (command.args as Capability[]) : known;
  return await compareAll(asked, sides, command.opts<{ json?: string | true }>().json, print);
}

async function compareAll(
  asked: readonly Capability[],
  sides: AllSides,
  json: string | true | undefined,
  print: (text: string) => void,
): Promise<number> {
  const comparisons: Partial<Record<Capability, Comparison>> = {};
  for (const capability of asked) {
    const comparison = await compareSides(capability, sides[capability]);
    comparisons[capability] = comparison;
    if (json !== true) print(`${capability}: ${reportText(comparison)}\n`);
  }
  const text = `${JSON.stringify(comparisons, null, 2)}\n`;
  if (json === true) print(text);
  else if (json !== undefined) await writeFile(json, text);
  return Object.values(comparisons).every(({ ok }) => ok) ? 0 : 1;
}
