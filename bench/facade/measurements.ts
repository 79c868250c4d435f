import { join } from 'node:path';
import { alone, compared, median } from '../harness/index.ts';
import type { Measured, RatioGoal, Result } from '../harness/index.ts';
import type { Field } from './contestants.ts';
import { measureFlagFlips } from './flag-flip.ts';
import { startOurFacade } from './our-facade.ts';
import { interleaved } from './rounds.ts';
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

interface Reads {
  readonly results: readonly Result[];
  /** Half of what httpxy, the nearest rival, can take. */
  readonly halfLoad: number;
}

/** Reads of a capability's route in front of a service, beside every rival. */
export async function measureReads(field: Field, stage: Stage): Promise<Reads> {
  const rounds = await interleaved(field.all, stage.reads, stage);
  const rivals = field.all.slice(1).map(({ name }) => name);
  const throughput = rivals.map((rival) =>
    compared({
      name: `GET 1 KB, against ${rival}`,
      unit: 'requests/s',
      rival,
      ...rounds.pair('ours', rival, perSecond),
      ...(GOALS[rival] ? { goal: GOALS[rival] } : {}),
    }),
  );
  const p99 = compared({
    name: 'GET 1 KB, p99',
    unit: 'ms',
    rival: 'httpxy',
    ...rounds.pair('ours', 'httpxy', ({ p99Ms }) => p99Ms),
    goal: { atMost: 1 },
  });
  return { results: [...throughput, p99], halfLoad: rounds.median('httpxy', perSecond) / 2 };
}

/**
 * The same beside the two nearest to what can be had at all, in front of an nginx that answers from
 * memory. nginx as a proxy does not wait for its upstream there, which in front of a service it does.
 */
export async function measureReadsBeforeNginx(
  field: Field,
  stage: Stage,
): Promise<readonly Result[]> {
  const rivals = ['httpxy', 'bare undici', 'nginx'];
  const lanes = field.all.filter(({ name }) => name === 'ours' || rivals.includes(name));
  const rounds = await interleaved(lanes, stage.reads, stage);
  return rivals.map((rival) =>
    compared({
      name: `GET 1 KB before an nginx, against ${rival}`,
      unit: 'requests/s',
      rival,
      ...rounds.pair('ours', rival, perSecond),
    }),
  );
}

/** Writes to the same route: ours reads the whole body first, and gives each a key. */
export async function measureWrites(field: Field, stage: Stage): Promise<readonly Result[]> {
  const rivals = ['httpxy', 'bare undici'];
  const lanes = field.all.filter(({ name }) => name === 'ours' || rivals.includes(name));
  const rounds = await interleaved(lanes, stage.writes, stage);
  return rivals.map((rival) =>
    compared({
      name: `POST 1 KB, against ${rival}`,
      unit: 'requests/s',
      rival,
      ...rounds.pair('ours', rival, perSecond),
    }),
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
      name: `added latency at ${Math.round(halfLoad / 100) / 10} k requests/s, ${percentile.slice(0, 3)}`,
      unit: 'ms',
      rival: 'httpxy',
      ...rounds.pair('ours', 'httpxy', (of, round) =>
        Math.max(0.001, of[percentile] - round('direct')[percentile]),
      ),
    }),
  );
}

/** Reads while each is also sent to the other side, and the answers compared. */
export async function measureShadow(field: Field, stage: Stage): Promise<readonly Result[]> {
  const { url, flags } = field.ours;
  const lane = (name: string, share: number) => ({
    name,
    url,
    before: () => flags({ 'items.shadow': share }),
  });
  const rounds = await interleaved([lane('off', 0), lane('on', 100)], stage.reads, stage);
  await flags({ 'items.shadow': 0 });
  const { compared: done, skipped } = await field.ours.experiments();
  return [
    compared({
      name: 'GET 1 KB, shadow 100 %',
      unit: 'requests/s',
      rival: 'shadow off',
      ...rounds.pair('on', 'off', perSecond),
      goal: { atLeast: 0.6 },
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
  if (ours === undefined || theirs === undefined) return [];
  return [
    compared({
      name: 'resident memory after the load',
      unit: 'MB',
      value: ours / 1e6,
      rival: 'httpxy',
      rivalValue: theirs / 1e6,
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
        ...rounds.pair('two workers', 'one worker', perSecond),
      }),
    ];
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
}

/** From a flag's change to the last new request that went the old way. */
export async function measureFlips(stage: Stage): Promise<readonly Result[]> {
  const flips = await measureFlagFlips(stage.folder);
  return [
    alone({ name: 'flag flip to 100 %, median', unit: 'ms', value: median(flips), atMost: 100 }),
    alone({
      name: 'flag flip to 100 %, slowest',
      unit: 'ms',
      value: Math.max(...flips),
      atMost: 100,
    }),
  ];
}
