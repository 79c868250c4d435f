import { setTimeout as delay } from 'node:timers/promises';
import { findSustained, processTable, readable, usageBelow } from '../harness/index.ts';
import type { BenchContext, ProcessTable, Sustained } from '../harness/index.ts';
import type { System } from '../../system/index.ts';
import { judge } from './judge.ts';
import type { Verdict } from './judge.ts';
import { wentWell } from './ledger.ts';
import type { RecordedRequest } from './ledger.ts';
import { onStage, urlOf, warmUp } from './stage.ts';
import type { Stage } from './stage.ts';

export interface HandoverOptions {
  readonly handovers: number;
  /** Requests a second; absent: half of what is sustained. */
  readonly rate?: number;
  readonly postgres?: boolean;
  readonly calibrate?: boolean;
}

export type Context = BenchContext<HandoverOptions>;

/** How long processes are warmed up, in ms. */
const WARM_UP_MS = 10_000;
/** One step of the ramp that finds what is sustained. */
const STEP_MS = 3_000;
/** A load that starts at once meets a queue at once; so it rises, in ms. */
const RAMP_MS = 5_000;
/** What is owed from then must be paid before anything moves; and after the last move, in ms. */
const CALM_MS = 2_000;
/** Handovers before the ones that count, a multiple of 4: each side has then taken writes. */
const WARM_UP_TURNS = 4;
/** There and back with both capabilities. */
const GROUP = 4;
/** Between two handovers of a group, in ms; while processes are cold, longer. */
const PAUSE_MS = 250;
const COLD_PAUSE_MS = 2_000;
/** After a group nothing moves for so long, in ms; what is left of the moves goes before that counts. */
const QUIET_MS = 2_000;
const AFTERMATH_MS = 500;
/** A write that is due this long before the next move is usually answered before it, in ms. */
const FORETIME_MS = 200;

/** The way one contestant moves ownership: the rest is the same for all. */
export interface Contestant<T> {
  readonly name: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Everything that is done once, before there is any load. */
  prepare(system: System): Promise<void>;
  /** One handover under load: of every four, the first two go forward and the others back. */
  move(system: System, number: number): Promise<void>;
  /** Waits until the other sides have all that was written. */
  level(system: System): Promise<void>;
  /** What there is to tell of the handovers from a number on; the monolith owns everything again. */
  tell(system: System, from: number): Promise<T>;
}

export interface Performance<T> {
  readonly moved: T;
  /** Requests a second that were sent. */
  readonly load: number;
  /** What was due since handovers count: at the full rate, between warm processes. */
  readonly ledger: readonly RecordedRequest[];
  /** Of the ledger, what was due while nothing moved. */
  readonly quiet: readonly RecordedRequest[];
  /** Of everything from the first request on. */
  readonly verdict: Verdict;
  /** Requests that went well a second, since handovers count. */
  readonly perSecond: number;
  /** Time of a processor for each of them, in ms, by process; empty where the system does not tell. */
  readonly processorMs: ReadonlyMap<string, number>;
}

/** One contestant on a real system of its own, under the same load as all. */
export function perform<T>(
  contestant: Contestant<T>,
  load: number | undefined,
  context: Context,
): Promise<Performance<T>> {
  return staged(contestant, context, async (stage) => {
    const { clients, system } = stage;
    await warmUp(stage, WARM_UP_MS);
    const perSecond = load ?? (await sustainedBy(stage, contestant, context)).perSecond / 2;
    await contestant.level(system);
    context.say(`${contestant.name}: ${readable(perSecond)} requests/s`);
    clients.pace(perSecond, RAMP_MS);
    await delay(RAMP_MS + CALM_MS);
    const { countedFrom, quietTimes, before } = await turns(stage, contestant, context);
    const after = await processTable();
    const countedTo = now();
    await delay(CALM_MS);
    const ledger = await clients.stop();
    await contestant.level(system);
    const monolithUrl = system.env['MONOLITH_DATABASE_URL'] ?? '';
    const verdict = await judge(ledger, monolithUrl, urlOf(system, 'provider'));
    const counted = ledger.filter(({ dueAt }) => dueAt >= countedFrom && dueAt < countedTo);
    const well = counted.filter(wentWell).length;
    return {
      moved: await contestant.tell(system, WARM_UP_TURNS),
      load: perSecond,
      ledger: counted,
      quiet: counted.filter(({ dueAt }) => quietTimes.some(([a, b]) => dueAt >= a && dueAt < b)),
      verdict,
      perSecond: (well * 1_000) / (countedTo - countedFrom),
      processorMs: spent(stage, { before, after, requests: well }),
    };
  });
}

/** Only finds what the machine sustains, with a contestant's system. */
export function calibrate(contestant: Contestant<unknown>, context: Context): Promise<Sustained> {
  return staged(contestant, context, async (stage) => {
    await warmUp(stage, WARM_UP_MS);
    return sustainedBy(stage, contestant, context);
  });
}

function staged<T>(
  { name, variables = {}, prepare }: Contestant<unknown>,
  { folder, options, signal, say }: Context,
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { postgres = false } = options;
  say(`${name}: starting a system on ${postgres ? 'PostgreSQL' : 'SQLite'} and warming it up`);
  return onStage({ name, folder, postgres, variables, signal }, prepare, play);
}

function sustainedBy(
  { clients }: Stage,
  { name }: Contestant<unknown>,
  { signal, say }: Context,
): Promise<Sustained> {
  return findSustained(async (count) => {
    signal.throwIfAborted();
    const perSecond = await clients.saturate(count, STEP_MS);
    say(`${name}: ${count} clients get ${readable(perSecond)} answers/s`);
    return perSecond;
  });
}

const now = (): number => performance.timeOrigin + performance.now();

interface Turns {
  /** Since when handovers count, in ms since 1970. */
  readonly countedFrom: number;
  readonly before: ProcessTable;
  /** From when to when nothing moved. */
  readonly quietTimes: readonly (readonly [number, number])[];
}

/** Some handovers to warm up, then those that count, in groups with some quiet after each. */
async function turns(
  { system }: Stage,
  { name, move }: Contestant<unknown>,
  { options, signal, say }: Context,
): Promise<Turns> {
  for (let number = 0; number < WARM_UP_TURNS; number += 1) {
    signal.throwIfAborted();
    await move(system, number);
    await delay(COLD_PAUSE_MS);
  }
  const [countedFrom, before] = [now(), await processTable()];
  const quietTimes: [number, number][] = [];
  for (let done = 0; done < options.handovers;) {
    signal.throwIfAborted();
    await move(system, WARM_UP_TURNS + done);
    done += 1;
    if (done % 20 === 0) say(`${name}: ${done} of ${options.handovers} handovers`);
    const ended = now();
    await delay(done % GROUP === 0 ? QUIET_MS : PAUSE_MS);
    if (done % GROUP === 0) quietTimes.push([ended + AFTERMATH_MS, now() - FORETIME_MS]);
  }
  return { countedFrom, before, quietTimes };
}

/** What each process has used for a request. */
function spent(
  { pids }: Stage,
  { before, after, requests }: { before: ProcessTable; after: ProcessTable; requests: number },
): ReadonlyMap<string, number> {
  const each = [...pids].flatMap(([name, pid]) => {
    const [from, to] = [usageBelow(before, pid), usageBelow(after, pid)];
    if (from === undefined || to === undefined) return [];
    return [[name, (to.processorMs - from.processorMs) / requests] as const];
  });
  return new Map(each);
}
