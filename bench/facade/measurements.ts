import { join } from 'node:path';
import { alone, compared } from '../harness/index.ts';
import type { Measured, RatioGoal, Result, Rounds } from '../harness/index.ts';
import type { Field } from './contestants.ts';
import { measureFlagFlips } from './flag-flip.ts';
import { startOurFacade } from './our-facade.ts';
import { interleaved } from './lanes.ts';
import type { Stage } from './stage.ts';

/** What our throughput should be, as a share of each rival's. */
const GOALS: Readonly<Record<string, RatioGoal>> = {
  httpxy: { atLeast: 1.3 },
  'express, keep-alive': { atLeast: 3.5 },
  'bare undici': { atLeast: 0.7 },
  nginx: { atLeast: 0.4 },
};

function perSecond({ perSecond: figure }: Measured): number {
  return figure;
}

/** How many requests a second ours serves, beside each rival; alone where there is none. */
function throughput(
  what: string,
  rounds: Rounds<Measured>,
  rivals: readonly string[],
  goals: Readonly<Record<string, RatioGoal>> = {},
): readonly Result[] {
  const unit = 'requests/s';
  if (rivals.length === 0) {
    return [alone({ name: what, unit, value: rounds.median('ours', perSecond) })];
  }
  return rivals.map((rival) =>
    compared({
      name: `${what}, against ${rival}`,
      unit,
      rival,
      ...rounds.beside('ours', rival, perSecond),
      ...(goals[rival] ? { goal: goals[rival] } : {}),
    }),
  );
}

interface Reads {
  readonly results: readonly Result[];
  /** Half of what httpxy, the nearest rival, can take; undefined where it was left out. */
  readonly halfLoad: number | undefined;
}

/** Reads of a capability's route in front of a service, beside every rival. */
export async function measureReads(field: Field, stage: Stage): Promise<Reads> {
  const rounds = await interleaved(field.all, stage.reads, stage);
  const rivals = field.all.slice(1).map(({ name }) => name);
  const p99 = compared({
    name: 'GET 1 KB, p99',
    unit: 'ms',
    rival: 'httpxy',
    ...rounds.beside('ours', 'httpxy', ({ p99Ms }) => p99Ms),
    goal: { atMost: 1 },
  });
  return {
    results: [...throughput('GET 1 KB', rounds, rivals, GOALS), p99],
    halfLoad: stage.rivals ? rounds.median('httpxy', perSecond) / 2 : undefined,
  };
}

/**
 * The same beside the two nearest to what can be had at all, in front of an nginx that answers from
 * memory. nginx as a proxy does not wait for its upstream there, which in front of a service it does.
 */
export function measureReadsBeforeNginx(field: Field, stage: Stage): Promise<readonly Result[]> {
  const rivals = ['httpxy', 'bare undici', 'nginx'];
  return measureBeside('GET 1 KB before an nginx', field, stage, { load: stage.reads, rivals });
}

/** Writes to the same route: ours reads the whole body first, and gives each a key. */
export function measureWrites(field: Field, stage: Stage): Promise<readonly Result[]> {
  const rivals = ['httpxy', 'bare undici'];
  return measureBeside('POST 1 KB', field, stage, { load: stage.writes, rivals });
}

async function measureBeside(
  what: string,
  field: Field,
  stage: Stage,
  { load, rivals }: { readonly load: Stage['reads']; readonly rivals: readonly string[] },
): Promise<readonly Result[]> {
  const beside = field.all.filter(({ name }) => rivals.includes(name));
  const rounds = await interleaved([field.ours, ...beside], load, stage);
  return throughput(
    what,
    rounds,
    beside.map(({ name }) => name),
  );
}

/** What a proxy adds to the time of a request while it is not busy. */
export async function measureAddedLatency(
  field: Field,
  halfLoad: number,
  stage: Stage,
): Promise<readonly Result[]> {
  const lanes = [
    { name: 'direct', url: stage.upstreams.service.url },
    ...field.all.filter(({ name }) => name === 'ours' || name === 'httpxy'),
  ];
  const rounds = await interleaved(lanes, { ...stage.reads, rate: halfLoad }, stage);
  return (['p50Ms', 'p99Ms'] as const).map((percentile) =>
    compared({
      name: `added latency at half of what httpxy takes, ${percentile.slice(0, 3)}`,
      unit: 'ms',
      rival: 'httpxy',
      ...rounds.beside('ours', 'httpxy', (of, round) =>
        Math.max(0.001, of[percentile] - round('direct')[percentile]),
      ),
    }),
  );
}

/**
 * Reads while each is also sent to the other side, and the answers compared. The goal is for what a
 * request costs the facade's processor: shadowing also doubles the upstreams' work, and where these
 * share a core with the load, as on a machine with two, that core is full first, so that the throughput
 * says how fast the upstream is.
 */
export async function measureShadow(field: Field, stage: Stage): Promise<readonly Result[]> {
  const { url, pid, flags } = field.ours;
  const lane = (name: string, share: number) => ({
    name,
    url,
    pid,
    before: () => flags({ 'items.shadow': share }),
  });
  const rounds = await interleaved([lane('off', 0), lane('on', 100)], stage.reads, stage);
  await flags({ 'items.shadow': 0 });
  const { compared: done, skipped } = await field.ours.experiments();
  const rival = 'shadow off';
  return [
    compared({
      name: 'GET 1 KB, shadow 100 %',
      unit: 'requests/s of processor',
      rival,
      ...rounds.beside(
        'on',
        'off',
        (of) => (of.perSecond * stage.reads.seconds * 1_000) / of.processorMs,
      ),
      goal: { atLeast: 0.6 },
    }),
    compared({
      name: 'GET 1 KB, shadow 100 %, upstreams and load on the other core',
      unit: 'requests/s',
      rival,
      ...rounds.beside('on', 'off', perSecond),
    }),
    alone({
      name: 'of these, compared',
      unit: '%',
      value: (done / (done + skipped)) * 100,
      atLeast: 95,
    }),
  ];
}

/** Resident memory after the load of the run. */
export async function measureMemory(field: Field): Promise<readonly Result[]> {
  const rival = field.all.find(({ name }) => name === 'httpxy');
  const ours = await field.ours.memory();
  const theirs = await rival?.memory();
  if (ours === undefined) return [];
  return [
    compared({
      name: 'resident memory after the load',
      unit: 'MB',
      value: ours / 1e6,
      rival: 'httpxy',
      ...(theirs === undefined ? {} : { rivalValue: theirs / 1e6 }),
    }),
  ];
}

/** Two workers beside one, both free to use all cores, as the load has to. */
export async function measureWorkers(stage: Stage): Promise<readonly Result[]> {
  const start = (workers: number) =>
    startOurFacade({
      folder: join(stage.folder, `workers-${workers}`),
      legacyUrl: stage.upstreams.quickest.url,
      extractedUrl: stage.upstreams.quickest.url,
      workers,
    });
  const one = await start(1);
  const two = await start(2);
  try {
    const lanes = [
      { name: 'one worker', url: one.url },
      { name: 'two workers', url: two.url },
    ];
    const rounds = await interleaved(lanes, stage.reads, stage);
    return [
      compared({
        name: 'GET 1 KB, two workers',
        unit: 'requests/s',
        rival: 'one worker',
        ...rounds.beside('two workers', 'one worker', perSecond),
      }),
    ];
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
}

/** From a flag's change to the last new request that went the old way. */
export async function measureFlips(stage: Stage): Promise<readonly Result[]> {
  const flips = await measureFlagFlips(stage);
  return [
    compared({
      name: 'flag flip to 100 %',
      unit: 'ms',
      rival: 'p99 of a request meanwhile',
      ...flips.within('ours', ({ ms, requestP99Ms }) => ({ value: ms, rivalValue: requestP99Ms })),
      goal: { atMost: 10 },
    }),
  ];
}
