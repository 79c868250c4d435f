import { asOperator } from '../../../system/index.ts';
import { persevere } from '../../../rehearsal/index.ts';
import { request } from '../../support/index.ts';
import { CAPABILITIES } from '../base/rows.ts';
import { unprovenWithout } from '../base/runs.ts';
import type { RunContext, RunReport } from '../base/runs.ts';
import { withStand } from '../base/stand.ts';
import type { Stand } from '../base/stand.ts';
import { strikeOnce } from '../base/strikes.ts';
import { brokenPromises, comeToRest } from '../base/verdict.ts';
import { Watcher } from './moment.ts';
import type { Moment } from './moment.ts';
import { planHandovers, planText, PROCESSES } from './plan.ts';
import type { PlannedHandover } from './plan.ts';
import { judgeWriters, othersOf } from './verdict.ts';
import { startWriters } from './writers.ts';

/** Orders that a run sees at least, as a share of all that there are. */
const LEAST_ORDERS = 0.001;

/**
 * One system with two facades, under orders and hot writes: each capability is handed over, back and
 * over again, and each time something is done to the system in the middle of it.
 */
export function handoverRun(context: RunContext): Promise<RunReport> {
  const plan = planHandovers(context.seed, context.handovers);
  context.progress.say(`  ${planText(plan)}`);
  return withStand({ ...context, processes: PROCESSES }, (stand) =>
    hurt(stand, plan, context.seed),
  );
}

async function hurt(
  stand: Stand,
  plan: readonly PlannedHandover[],
  seed: number,
): Promise<RunReport> {
  const { fig, signal, ledger, traffic, outages } = stand;
  const moments: Moment[] = [];
  const writers = startWriters(stand, seed);
  try {
    for (const capability of CAPABILITIES) {
      await persevere(fig, capability, ['backfill', capability], { signal });
      await persevere(fig, capability, ['reconcile', capability], { signal });
    }
    for (const handover of plan) moments.push(await handOver(stand, handover));
    await traffic.reached(LEAST_ORDERS);
  } finally {
    await writers.stop();
  }
  const owners = await comeToRest(stand);
  const broken = await judgeWriters(stand, owners, writers);
  await comeToRest(stand);
  const others = await othersOf(stand, owners, writers.told);
  return {
    broken: [...broken, ...(await brokenPromises(stand, owners, others))],
    ...unprovenWithout({ orders: ledger.told.size, writes: writers.told.length }),
    facts: {
      handovers: plan.length,
      outages: outages.length,
      ...countOf(moments),
      writes: writers.told.length,
      failed: writers.failed.length,
      untold: writers.told.filter(({ answer }) => answer === null).length,
      orders: ledger.told.size,
      ...owners,
    },
  };
}

/**
 * Asks for a handover and strikes in the middle of it; then has it brought to its end.
 * @returns how far it had come when the strike was over
 */
async function handOver(stand: Stand, planned: PlannedHandover): Promise<Moment> {
  const { system, fig, signal } = stand;
  const { capability, to, at, strike } = planned;
  const watcher = await Watcher.open(stand, capability, to);
  const asked = request('POST', `${system.urls['engine']}/handovers`, {
    headers: asOperator(system),
    body: { capability, to },
    timeoutMs: 30_000,
  }).catch(() => undefined);
  await watcher.reached(at, asked);
  let moment: Moment = 'over';
  await strikeOnce(stand, strike, async () => {
    moment = await watcher.moment();
  });
  await watcher.close();
  await asked;
  stand.stage(`${capability} to ${to}`);
  const verb = to === 'extracted' ? 'switch' : 'reverse';
  await persevere(fig, capability, [verb, capability], { signal });
  return moment;
}

function countOf(moments: readonly Moment[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const moment of moments) {
    const name = `struck while ${moment}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
