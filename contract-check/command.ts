import { writeFile } from 'node:fs/promises';
import { Command, CommanderError } from 'commander';
import { errorText } from '../chassis/index.ts';
import { reportText } from '../contracts/cases/index.ts';
import type { Comparison } from '../contracts/cases/index.ts';
import { upstreamSettings } from '../routing/index.ts';
import type { ContractRun, FigConfig } from '../routing/index.ts';
import type { ServerSettings } from '../chassis/index.ts';
import { compareBuilds } from './compare-sides.ts';
import type { Compared, Sides } from './compare-sides.ts';
import { runningTarget, serverAt } from './running-target.ts';
import type { Capability } from './targets.ts';
import { writeWorld } from './world-files.ts';

type AllSides = Readonly<Partial<Record<Capability, Sides>>>;
type Print = (text: string) => void;

/** What the command takes from the configuration. */
export interface ContractSettings {
  readonly upstreams: FigConfig['upstreams'];
  /** Saves the results in the file that the engine reads before a handover. */
  readonly keep: (runs: Readonly<Record<string, ContractRun>>) => Promise<void>;
}

const NONE: ContractSettings = { upstreams: {}, keep: () => Promise.resolve() };

interface Options {
  readonly json?: string | true;
  readonly target?: readonly string[];
  readonly world?: string;
}

const HELP = `
Without --target, monolith and services are started for this, in this process. The cases write:
stock of articles named CT-..., reservations and payments stay behind in what they are run against.

An upstream of the configuration is reached as the facade reaches it, also at a unix socket or with a
certificate of an authority of its own.

The result is kept in the configuration's contractFile, or as contract.json in the data folder, with the
versions that were compared: before a handover it has to be green for what runs.

A running system needs the world of the cases, while the monolith still owns inventory:
  npm run contract -- --world /tmp/world
  node dist/monolith/load.js --data /tmp/world

Examples:
  npm run contract
  npm run contract -- inventory --json report.json
  npm run contract -- --target http://127.0.0.1:8080
  npm run contract -- payment --target http://127.0.0.1:4000 --target http://127.0.0.1:8080
  npm run contract -- payment --target monolith --target payment

Exit: 0 when both sides answer alike and keep the contract, 1 when they do not, 3 when that could not be found
out, 2 for wrong usage.`;

/** Exit codes. */
const [WRONG_USAGE, NO_VERDICT] = [2, 3];

/**
 * `npm run contract [-- CAPABILITY... OPTIONS]`.
 * @param args what follows `--`
 * @param sides who is compared when no running target is named
 * @param load reads the configuration, before anything is compared
 * @returns the exit code: 0 when both sides answer alike and keep the contract, 1 when not, 3 when
 *   that could not be found out, and 2 when it was asked for in a wrong way; the reason is printed
 */
export async function contractCommand(
  args: readonly string[],
  sides: Required<AllSides>,
  print: Print,
  load: () => Promise<ContractSettings> = () => Promise.resolve(NONE),
): Promise<number> {
  const known = Object.keys(sides) as Capability[];
  const command = new Command('contract')
    .description('Compares, field by field, what the monolith and the services answer.')
    .argument('[capability...]', `some of ${known.join(', ')}; all of them when left out`)
    .option(
      '--target <server>',
      'a server that runs, such as a facade, by its URL or by the name of an upstream: compared with a ' +
        'monolith; twice: the old, the new',
      (server: string, before: readonly string[] | undefined) => [...(before ?? []), server],
    )
    .option('--world <directory>', 'write what the cases need, for the loader, and stop')
    .option('--json [file]', 'the result as JSON, to a file or instead of the text')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: print });
  try {
    command.parse(args, { from: 'user' });
    const options = command.opts<Options>();
    const unknown = command.args.filter((name) => !(name in sides));
    if (unknown.length > 0) {
      command.error(`error: ${unknown.join(', ')} is none of ${known.join(', ')}`);
    }
    if ((options.target?.length ?? 0) > 2) {
      command.error('error: give --target once or twice: two sides are compared');
    }
    if (options.world === undefined) {
      const { upstreams, keep } = await load();
      const servers = serversOf(options.target ?? [], upstreams);
      if ('unknown' in servers) return command.error(`error: ${servers.unknown}`);
      const asked = command.args as Capability[];
      const compared = await compare(asked, sides, servers.found, options, print);
      await keep(runsOf(compared));
      return Object.values(compared).every(({ comparison }) => comparison.ok) ? 0 : 1;
    }
    await writeWorld(options.world);
    print(`wrote products.csv and customers.csv to ${options.world}\n`);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    print(`error: ${errorText(error)}\n`);
    return NO_VERDICT;
  }
}

/** The servers that are named as targets; else what is wrong with one of the names. */
function serversOf(
  names: readonly string[],
  upstreams: FigConfig['upstreams'],
): { readonly found: readonly ServerSettings[] } | { readonly unknown: string } {
  const found: ServerSettings[] = [];
  for (const name of names) {
    const server = serverAt(name) ?? upstreams[name];
    if (server === undefined) {
      const unknown =
        `${name} is neither an upstream of the configuration nor the base URL of a server; give a URL ` +
        'without a path, such as http://127.0.0.1:8080';
      return { unknown };
    }
    found.push(upstreamSettings(server));
  }
  return { found };
}

/** Who is compared: running servers where some are named. @throws UnfitTarget */
async function chooseSides(
  asked: readonly Capability[],
  own: Required<AllSides>,
  servers: readonly ServerSettings[],
): Promise<AllSides> {
  const targets = await Promise.all(servers.map((server) => runningTarget(server, asked)));
  const chosen = (Object.keys(own) as Capability[]).filter(
    (capability) =>
      (asked.length === 0 || asked.includes(capability)) &&
      targets.every(({ areas }) => areas.includes(capability)),
  );
  if (chosen.length === 0) {
    throw new Error(`${servers.map(({ url }) => url).join(' and ')} serve no capability in common`);
  }
  const makes = targets.map((target) => () => Promise.resolve(target));
  return Object.fromEntries(
    chosen.map((capability) => {
      const { old, new: next } = own[capability];
      const [first = next, second] = makes;
      return [capability, second ? { old: first, new: second } : { old, new: first }];
    }),
  );
}

async function compare(
  asked: readonly Capability[],
  own: Required<AllSides>,
  servers: readonly ServerSettings[],
  { json }: Options,
  print: Print,
): Promise<Readonly<Record<string, Compared>>> {
  const all: Record<string, Compared> = {};
  for (const [name, sides] of Object.entries(await chooseSides(asked, own, servers))) {
    const compared = await compareBuilds(name as Capability, sides);
    all[name] = compared;
    if (json !== true) print(`${name}: ${reportText(compared.comparison)}\n`);
  }
  const comparisons: Record<string, Comparison> = Object.fromEntries(
    Object.entries(all).map(([name, { comparison }]) => [name, comparison]),
  );
  const text = `${JSON.stringify(comparisons, null, 2)}\n`;
  if (json === true) print(text);
  else if (json !== undefined) await writeFile(json, text);
  return all;
}

/** Only of builds that can be told from others: a result for whatever it was is worth nothing. */
function runsOf(all: Readonly<Record<string, Compared>>): Readonly<Record<string, ContractRun>> {
  const runs: Record<string, ContractRun> = {};
  for (const [name, { comparison, builds }] of Object.entries(all)) {
    if (builds.old === null || builds.new === null) continue;
    runs[name] = { ok: comparison.ok, at: Date.now(), old: builds.old, new: builds.new };
  }
  return runs;
}
