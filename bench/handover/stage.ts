import { join } from 'node:path';
import { startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { startClients } from './client-process.ts';
import { judge } from './judge.ts';
import type { Verdict } from './judge.ts';
import type { Told } from './ledger.ts';
import { writeShop } from './shop.ts';

export interface StageOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly perSecond: number;
  readonly handovers: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Cold processes fall behind at first; what they owe from then must be paid before it counts, in ms. */
export const WARM_UP_MS = 12_000;

/** The way one contestant moves ownership: the rest is the same for all. */
export interface Contestant<T> {
  readonly name: string;
  readonly variables?: (folder: string) => Readonly<Record<string, string>>;
  /** Everything that is done once, before there is any load. */
  prepare(system: System): Promise<void>;
  /** Moves ownership to and fro under load; the monolith has to be the owner at the end. */
  move(system: System, options: StageOptions): Promise<T>;
  /** Waits until the state has come to rest. */
  settle(system: System): Promise<void>;
}

export interface Performance<T> {
  readonly moved: T;
  readonly ledger: readonly Told[];
  readonly verdict: Verdict;
  readonly seconds: number;
}

/** One contestant on a real system of its own, under the same load as all. */
export async function perform<T>(
  { name, variables, prepare, move, settle }: Contestant<T>,
  options: StageOptions,
): Promise<Performance<T>> {
  const { folder, perSecond, signal, say } = options;
  const data = join(folder, name);
  await writeShop(join(folder, 'shop'));
  const system = await startSystem({
    dataDir: data,
    ports: 'free',
    env: {
      ...withoutSystem(process.env),
      LOG_LEVEL: 'warn',
      FIG_CONTRACT: 'off',
      ...variables?.(data),
    },
    load: { data: join(folder, 'shop') },
    signal,
  });
  try {
    await prepare(system);
    const ledgerFile = join(folder, `${name}-ledger.json`);
    say(`${name}: ${perSecond} requests/s, ${options.handovers} handovers`);
    const clients = startClients({ url: urlOf(system, 'facade'), perSecond, ledgerFile });
    try {
      const moved = await move(system, options);
      const ledger = await clients.stop();
      await settle(system);
      const verdict = await judge(
        ledger,
        system.env['MONOLITH_DATABASE_URL'] ?? '',
        urlOf(system, 'provider'),
      );
      return { moved, ledger, verdict, seconds: secondsOf(ledger) };
    } finally {
      clients.kill();
    }
  } finally {
    await system.stop();
  }
}

/** From when the first request was due to the last answer. */
function secondsOf(ledger: readonly Told[]): number {
  let [first, last] = [Infinity, 0];
  for (const { dueAt, doneAt } of ledger) {
    first = Math.min(first, dueAt);
    last = Math.max(last, doneAt);
  }
  return (last - first) / 1_000;
}

/** @throws when the system has no such process */
export function urlOf(system: System, name: string): string {
  const url = system.urls[name];
  if (url === undefined) throw new Error(`the system has no ${name}`);
  return url;
}
