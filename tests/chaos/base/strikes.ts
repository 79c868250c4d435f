import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { putOut } from '../../../rehearsal/index.ts';
import type { Outage, Random } from '../../../rehearsal/index.ts';
import type { Stand } from './stand.ts';

/** One thing that is done to a running system, and how long after the one before it. */
export type Strike = { readonly afterMs: number } & (
  | { readonly how: 'kill'; readonly victim: string; readonly times: number }
  | { readonly how: 'pause'; readonly victim: string; readonly forMs: number }
  | { readonly how: 'flush' }
);

interface StrikeOptions {
  readonly count: number;
  /** Drawn evenly: name a process twice, and it is hit twice as often. */
  readonly victims: readonly [string, ...string[]];
  /** The longest wait between two strikes, in ms. */
  readonly withinMs: number;
}

/** Draws strikes; the same random numbers draw the same ones. */
export function planStrikes(random: Random, options: StrikeOptions): Strike[] {
  return Array.from({ length: options.count }, () => drawStrike(random, options));
}

function drawStrike(random: Random, { victims, withinMs }: StrikeOptions): Strike {
  const afterMs = random.between(0, withinMs);
  const victim = random.pick(victims);
  const draw = random.next();
  if (draw < 0.12) return { how: 'flush', afterMs };
  if (draw < 0.3) return { how: 'pause', afterMs, victim, forMs: random.between(50, 2_500) };
  // Some die again before they have come to their senses.
  return { how: 'kill', afterMs, victim, times: random.pick([1, 1, 1, 2, 3]) };
}

export function strikeText(strike: Strike): string {
  if (strike.how === 'flush') return 'empty Redis';
  if (strike.how === 'pause') return `pause ${strike.victim} for ${strike.forMs} ms`;
  return `kill ${strike.victim}${strike.times === 1 ? '' : ` ${strike.times} times`}`;
}

/** Carries out strikes one after the other, each when everything serves again. */
export async function strikeAll(stand: Stand, strikes: readonly Strike[]): Promise<void> {
  for (const strike of strikes) {
    await strikeOnce(stand, strike);
  }
}

/**
 * Carries out one strike after its time, and waits until everything serves again.
 * @param now called when its time has come
 */
export async function strikeOnce(
  stand: Stand,
  strike: Strike,
  now: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await delay(strike.afterMs, undefined, { signal: stand.signal });
  stand.stage(strikeText(strike));
  await now();
  const outage = await carryOut(stand, strike);
  if (outage !== null) stand.outages.push(outage);
}

async function carryOut(stand: Stand, strike: Strike): Promise<Outage | null> {
  const { system } = stand;
  if (strike.how === 'pause') return putOut(system, strike.victim, () => pause(stand, strike));
  if (strike.how === 'kill') return putOut(system, strike.victim, () => kill(stand, strike));
  await emptyRedis(system.redisUrl);
  return null;
}

type Pause = Strike & { readonly how: 'pause' };
type Kill = Strike & { readonly how: 'kill' };

async function pause({ system, signal }: Stand, { victim, forMs }: Pause): Promise<void> {
  system.pause(victim);
  try {
    await delay(forMs, undefined, { signal });
  } finally {
    system.resume(victim);
  }
}

async function kill({ system, signal }: Stand, { victim, times }: Kill): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    while (system.pid(victim) === undefined) await delay(5, undefined, { signal });
    await system.kill(victim);
  }
}

async function emptyRedis(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
