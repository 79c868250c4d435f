import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { alone, compared, inTurns, processTable, readable, usageBelow } from '../harness/index.ts';
import type { BenchContext, Result, Rounds } from '../harness/index.ts';
import { modulesOf, processorOf } from './run-counted.ts';
import { npmStart, systemEnv } from './started.ts';
import type { Started } from './started.ts';

export interface FootprintOptions {
  readonly rounds: number;
  /** How long the system idles while that is measured. */
  readonly seconds: number;
}

type Context = BenchContext<FootprintOptions>;

/** What starting has begun may still be under way then, in ms. */
const SETTLE_MS = 5_000;
const STATUS = ['bin/fig', 'status'];
const BARE = ['-e', '0'];

interface Footprint {
  readonly readyMs: number;
  /** By process: the share of a core, in percent, and resident memory in MB. */
  readonly idle: ReadonlyMap<string, { readonly processor: number; readonly memory: number }>;
  readonly statusMs: number;
  /** Node by itself, in the same round; undefined where rivals are left out. */
  readonly bareMs: number | undefined;
}

/** Measures what a system takes that has data and nothing to do. */
export async function benchFootprint(context: Context): Promise<readonly Result[]> {
  const { folder, options, signal, say } = context;
  const dataDir = join(folder, 'data');
  say('the first start, which makes the data');
  const first = await npmStart(dataDir);
  let modules: number;
  try {
    modules = await modulesOf(STATUS, { env: systemEnv(dataDir), folder });
  } finally {
    await first.stop();
  }
  const lanes = [{ name: 'ours', run: () => round(context, dataDir) }];
  const show = ({ readyMs, statusMs, idle }: Footprint): string =>
    `ready in ${readable(readyMs / 1_000)} s, fig status ${readable(statusMs / 1_000)} s, ` +
    `idle ${readable(sum(idle, 'processor'))} % of a core, ${readable(sum(idle, 'memory'))} MB`;
  const rounds = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
  return [...results(rounds), alone({ name: 'fig status', unit: 'modules', value: modules })];
}

async function round(
  { folder, options, rivals, signal }: Context,
  dataDir: string,
): Promise<Footprint> {
  const system = await npmStart(dataDir);
  try {
    await delay(SETTLE_MS, undefined, { signal });
    const given = { env: systemEnv(dataDir), folder };
    return {
      readyMs: system.readyMs,
      idle: await idling(system, options.seconds * 1_000, signal),
      statusMs: await processorOf(STATUS, given),
      bareMs: rivals ? await processorOf(BARE, given) : undefined,
    };
  } finally {
    await system.stop();
  }
}

async function idling(
  { pids }: Started,
  ms: number,
  signal: AbortSignal,
): Promise<Footprint['idle']> {
  const began = performance.now();
  const before = await processTable();
  await delay(ms, undefined, { signal });
  const after = await processTable();
  const took = performance.now() - began;
  const each = [...pids].map(([name, pid]) => {
    // The supervisor's children are all the others.
    const usage = (table: typeof after) =>
      name === 'supervisor' ? table.get(pid) : usageBelow(table, pid);
    const [from, to] = [usage(before), usage(after)];
    if (from === undefined || to === undefined)
      throw new Error(`${name} was not there all the time`);
    const processor = ((to.processorMs - from.processorMs) / took) * 100;
    return [name, { processor, memory: to.memory / 1e6 }] as const;
  });
  return new Map(each);
}

function sum(idle: Footprint['idle'], what: 'processor' | 'memory'): number {
  return [...idle.values()].reduce((total, each) => total + each[what], 0);
}

function results(rounds: Rounds<Footprint>): readonly Result[] {
  const figure = (name: string, unit: string, of: (footprint: Footprint) => number): Result =>
    alone({ name, unit, value: rounds.median('ours', of) });
  const names = [...(rounds.all('ours')[0]?.idle.keys() ?? [])];
  const [bare] = rounds.all('ours').map(({ bareMs }) => bareMs);
  const status = { name: 'fig status, processor', unit: 's' };
  return [
    figure('npm start with data there, until ready', 's', ({ readyMs }) => readyMs / 1_000),
    bare === undefined
      ? figure(status.name, status.unit, ({ statusMs }) => statusMs / 1_000)
      : compared({
          ...status,
          rival: 'node -e 0',
          ...rounds.within('ours', ({ statusMs, bareMs = 0 }) => ({
            value: statusMs / 1_000,
            rivalValue: bareMs / 1_000,
          })),
        }),
    figure('idle processor, all', '% of a core', ({ idle }) => sum(idle, 'processor')),
    ...names.map((name) =>
      figure(
        `idle processor, ${name}`,
        '% of a core',
        ({ idle }) => idle.get(name)?.processor ?? 0,
      ),
    ),
    figure('resident memory, all', 'MB', ({ idle }) => sum(idle, 'memory')),
    ...names.map((name) =>
      figure(`resident memory, ${name}`, 'MB', ({ idle }) => idle.get(name)?.memory ?? 0),
    ),
  ];
}
