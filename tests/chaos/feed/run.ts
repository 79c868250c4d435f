import { persevere } from '../../../rehearsal/index.ts';
import { unprovenWithout } from '../base/runs.ts';
import type { RunContext, RunReport } from '../base/runs.ts';
import { CAPABILITIES } from '../base/rows.ts';
import { withStand } from '../base/stand.ts';
import type { Stand } from '../base/stand.ts';
import { strikeAll } from '../base/strikes.ts';
import { brokenPromises, comeToRest } from '../base/verdict.ts';
import { startHand } from './hand.ts';
import { planFeedRun, planText } from './plan.ts';
import type { FeedPlan } from './plan.ts';

/** Orders that a run sees at least, as a share of all that there are. */
const LEAST_ORDERS = 0.001;

/**
 * One system under orders and changes by hand, hurt at moments that the seed chooses while an
 * operator copies and perhaps moves capabilities; then everything that was promised is checked.
 */
export function feedRun(context: RunContext): Promise<RunReport> {
  const plan = planFeedRun(context.seed);
  context.progress.say(`  ${planText(plan)}`);
  return withStand(context, (stand) => hurt(stand, plan, context.seed));
}

async function hurt(stand: Stand, plan: FeedPlan, seed: number): Promise<RunReport> {
  const { system, fig, ledger, traffic, signal, outages } = stand;
  const hands = await Promise.all(
    CAPABILITIES.map((capability, index) => startHand(system, capability, seed * 10 + index)),
  );
  try {
    await Promise.all([
      strikeAll(stand, plan.strikes),
      operate(plan.commands),
      traffic.reached(LEAST_ORDERS),
    ]);
  } finally {
    await Promise.all(hands.map((hand) => hand.stop()));
  }
  const owners = await comeToRest(stand);
  const lost: string[] = [];
  for (const hand of hands) {
    lost.push(...(await hand.lost('legacy')), ...(await hand.lost('extracted')));
  }
  const byHand = hands.reduce((sum, { done }) => sum + done, 0);
  return {
    broken: [...lost, ...(await brokenPromises(stand, owners))],
    ...unprovenWithout({ orders: ledger.told.size, 'changes by hand': byHand }),
    facts: {
      strikes: plan.strikes.length,
      outages: outages.length,
      orders: ledger.told.size,
      requests: ledger.requests,
      byHand,
      ...owners,
    },
  };

  async function operate(commands: FeedPlan['commands']): Promise<void> {
    for (const { verb, capability } of commands) {
      if (verb !== 'backfill')
        await persevere(fig, capability, ['reconcile', capability], { signal });
      await persevere(fig, capability, [verb, capability], { signal });
    }
  }
}
