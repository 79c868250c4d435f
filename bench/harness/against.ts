import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import { sourcesDiffer, versionOf } from './clone.ts';
import { compareReports } from './compare-reports.ts';
import type { Report } from './report.ts';
import type { Result } from './result.ts';
import { inTurns } from './rounds.ts';

/** A benchmark's options by name, as commander names them. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** What a benchmark tells so that two builds can be compared by it. */
export interface Comparable {
  /** The npm script, such as `bench:feed`. */
  readonly name: string;
  /** How one turn of a comparison differs from a run by itself. */
  readonly turn: {
    /** How long a pair of turns takes, such as `40 seconds`. */
    readonly takes: string;
    /** Unless the user has chosen otherwise. */
    readonly options?: OptionValues;
  };
  /** What has to be the same for both builds and depends on the machine, such as the load. */
  readonly common?: {
    /** With these, each build measures what is needed to choose it. */
    readonly options: OptionValues;
    choose(results: readonly [readonly Result[], readonly Result[]]): OptionValues;
  };
}

/** What is at the other end of `--against` can't be compared with; the message says why. */
export class NotComparable extends Error {}

interface AgainstOptions {
  /** The folder of the other clone. */
  readonly other: string;
  readonly pairs: number;
  /** Those that the user has chosen. */
  readonly options: OptionValues;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

interface Comparison {
  readonly results: readonly Result[];
  readonly tools: Readonly<Record<string, string>>;
}

/** @throws NotComparable when the folder is no built clone with this benchmark */
export function checkOther({ name }: Comparable, other: string | undefined): void {
  if (other === undefined) return;
  const folder = resolve(other);
  const program = programOf(folder, name);
  if (!existsSync(join(folder, 'package.json')) || !existsSync(program)) {
    throw new NotComparable(
      `--against ${other}: there is no ${program}; give a clone of the project in which ` +
        '`npm ci` and `npm run build` were run',
    );
  }
}

/**
 * Measures this build and another one in turn, each by the benchmark of its own clone, since that alone
 * knows its programs; who goes first alternates.
 */
export async function againstOther(bench: Comparable, given: AgainstOptions): Promise<Comparison> {
  const { pairs, signal, say } = given;
  const other = resolve(given.other);
  const versions = [await versionOf(projectRoot), await versionOf(other)] as const;
  if (await sourcesDiffer('bench', [projectRoot, other])) {
    say('note: bench/ is not the same in both clones; a difference may come from there');
  }
  const common = bench.common && bench.common.choose(await commonRuns(bench, given));
  if (common) say(`for both: ${words(common).join(' ')}`);
  const options = { ...bench.turn.options, ...common, ...given.options };
  const lane = (name: string, tree: string) => ({
    name,
    run: (pair: number) =>
      turn(bench, tree, { ...given, options, prefix: `${name} ${pair + 1} of ${pairs}` }),
  });
  const turns = await inTurns([lane('ours', projectRoot), lane('theirs', other)], {
    rounds: pairs,
    signal,
    say,
    show: ({ results }) => `${results.length} figures`,
  });
  const [ours, theirs] = [turns.all('ours'), turns.all('theirs')];
  const { results, missing } = compareReports(ours, theirs, versions[1]);
  for (const name of missing) say(`only one of the two has: ${name}`);
  return { results, tools: { ours: `ours: ${versions[0]}`, theirs: `theirs: ${versions[1]}` } };
}

async function commonRuns(
  bench: Comparable,
  given: AgainstOptions,
): Promise<[readonly Result[], readonly Result[]]> {
  const options = { ...given.options, ...bench.common?.options };
  const ours = await turn(bench, projectRoot, { ...given, options, prefix: 'ours' });
  const other = resolve(given.other);
  const theirs = await turn(bench, other, { ...given, options, prefix: 'theirs' });
  return [ours.results, theirs.results];
}

function programOf(folder: string, name: string): string {
  return join(folder, 'dist', 'bench', name.split(':').at(-1) ?? '', 'main.js');
}

/** Runs one clone's benchmark to its end. */
async function turn(
  { name }: Comparable,
  tree: string,
  { options, prefix, folder, signal, say }: AgainstOptions & { readonly prefix: string },
): Promise<Report> {
  signal.throwIfAborted();
  const file = join(folder, 'turn.json');
  const command = ['--enable-source-maps', programOf(tree, name), '--no-rivals', '--json', file];
  // Over its channel it learns when this process is gone.
  const child = spawn(process.execPath, [...command, ...words(options)], {
    cwd: tree,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4_000);
    for (const line of text.split('\n')) if (line.trim() !== '') say(`${prefix} | ${line}`);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code === 0 || code === 1) return JSON.parse(await readFile(file, 'utf8')) as Report;
  const what = `the benchmark in ${tree} ended with ${code}`;
  if (code === 2) {
    const used = ['--no-rivals', '--json', ...words(options)].join(' ');
    throw new NotComparable(`${what}: it may be too old to know all of ${used}`);
  }
  throw new Error(`${what}:\n${tail}`);
}

/** Options as words of a command line: `{ maxTime: 3, quick: true }` is `--max-time 3 --quick`. */
function words(options: OptionValues): readonly string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    const name = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [name] : [name, String(value)];
  });
}
