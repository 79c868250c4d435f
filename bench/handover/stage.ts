import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { startClients } from './client-process.ts';
import { setFlags } from '../../strangler/routing/index.ts';
import { judge } from './judge.ts';
import type { Verdict } from './judge.ts';
import { wentWell } from './ledger.ts';
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

/** A load that starts at once meets cold processes, which then owe for seconds; so it rises, in ms. */
const RAMP_MS = 10_000;
/** What is owed from then must be paid before anything moves, in ms. */
const CALM_MS = 5_000;
/** Handovers before the ones that count, a multiple of 4: each side has then taken writes. */
const WARM_UP_TURNS = 4;
/** Between two handovers, in ms; while processes are cold, longer. */
const PAUSE_MS = 250;
const COLD_PAUSE_MS = 3_000;

/** The way one contestant moves ownership: the rest is the same for all. */
export interface Contestant<T> {
  readonly name: string;
  readonly variables?: (folder: string) => Readonly<Record<string, string>>;
  /** Everything that is done once, before there is any load. */
  prepare(system: System): Promise<void>;
  /** One handover under load: of every four, the first two go forward and the others back. */
  move(system: System, number: number): Promise<void>;
  /** What there is to tell of the handovers from a number on; the monolith owns everything again. */
  tell(system: System, from: number): Promise<T>;
  /** Waits until the state has come to rest. */
  settle(system: System): Promise<void>;
}

export interface Performance<T> {
  readonly moved: T;
  /** What was due since handovers count: at the full rate, between warm processes. */
  readonly ledger: readonly Told[];
  /** Of everything from the first request on. */
  readonly verdict: Verdict;
  /** Requests that went well since handovers count. */
  readonly perSecond: number;
  readonly handovers: number;
}

/** One contestant on a real system of its own, under the same load as all. */
export async function perform<T>(
  contestant: Contestant<T>,
  options: StageOptions,
): Promise<Performance<T>> {
  const { name, variables, prepare, tell, settle } = contestant;
  const { folder, perSecond, signal, say, handovers } = options;
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
    say(`${name}: ${perSecond} requests/s, ${handovers} handovers`);
    const url = urlOf(system, 'facade');
    const clients = startClients({ url, perSecond, rampMs: RAMP_MS, ledgerFile });
    try {
      const countedFrom = await turns(system, contestant, options);
      const moved = await tell(system, WARM_UP_TURNS);
      const ledger = await clients.stop();
      await settle(system);
      const verdict = await judge(
        ledger,
        system.env['MONOLITH_DATABASE_URL'] ?? '',
        urlOf(system, 'provider'),
      );
      const counted = ledger.filter(({ dueAt }) => dueAt >= countedFrom);
      return { moved, ledger: counted, verdict, perSecond: rateOf(counted), handovers };
    } finally {
      clients.kill();
    }
  } finally {
    await system.stop();
  }
}

/**
 * Warms everything up as a migration does, by comparing reads and then by moving; then the handovers
 * that count. @returns since when they do, in ms since 1970
 */
async function turns<T>(
  system: System,
  { name, move }: Contestant<T>,
  { handovers, signal, say }: StageOptions,
): Promise<number> {
  await shadow(system, 100);
  await delay(RAMP_MS);
  await shadow(system, 0);
  await delay(CALM_MS);
  let countedFrom = 0;
  for (let number = 0; number < WARM_UP_TURNS + handovers; number += 1) {
    signal.throwIfAborted();
    if (number === WARM_UP_TURNS) countedFrom = performance.timeOrigin + performance.now();
    await move(system, number);
    const done = number + 1 - WARM_UP_TURNS;
    if (done > 0 && done % 20 === 0) say(`${name}: ${done} of ${handovers}`);
    await delay(done > 0 ? PAUSE_MS : COLD_PAUSE_MS);
  }
  return countedFrom;
}

function shadow(system: System, share: number): Promise<void> {
  const flags = { 'inventory.shadow': share, 'payment.shadow': share };
  return setFlags(system.env['FIG_FLAGS_FILE'] ?? '', flags);
}

/** What went well a second, from when the first was due to the last answer. */
function rateOf(ledger: readonly Told[]): number {
  let [first, last] = [Infinity, 0];
  for (const { dueAt, doneAt } of ledger) {
    first = Math.min(first, dueAt);
    last = Math.max(last, doneAt);
  }
  return (ledger.filter(wentWell).length * 1_000) / (last - first);
}

/** @throws when the system has no such process */
export function urlOf(system: System, name: string): string {
  const url = system.urls[name];
  if (url === undefined) throw new Error(`the system has no ${name}`);
  return url;
}
