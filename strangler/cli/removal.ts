import type { RemovalPlan } from '../engine/index.ts';
import { plural } from '../wording.ts';
import { confirmed } from './confirm.ts';
import type { EngineClient } from './engine-client.ts';
import { ago } from './format.ts';
import type { Output } from './output.ts';

interface Removal {
  readonly capability: string;
  readonly deleteRows: number | undefined;
  readonly yes: boolean;
  /** The command, without --yes. */
  readonly otherwise: string;
}

/**
 * Says what both sides hold before the owner's rows replace the other side's, and asks.
 * @throws CommandError unless it may be; where more than a few rows would vanish, by the engine
 */
export async function agreedOnRemoval(
  engine: EngineClient,
  output: Output,
  { capability, deleteRows, yes, otherwise }: Removal,
): Promise<void> {
  const plan = (await engine.order('/removals', { capability, deleteRows })) as RemovalPlan;
  await confirmed(output, {
    question: `${removalText(plan)}\nReplace the rows of ${plan.to} by those of ${plan.from}?`,
    yes,
    otherwise: `${otherwise} --yes`,
  });
}

function removalText({ from, to, pairs, newest, removed }: RemovalPlan): string {
  const sides = [from, to].map((side) => {
    const at = newest[side];
    const write = at === null ? 'no write is known' : `the newest write ${ago(Date.now() - at)}`;
    const counts = pairs.map((pair) => `${pair.pair} ${pair[side]}`).join(', ');
    return `${side}: ${counts}; ${write}`;
  });
  return [...sides, `${plural(removed, 'row')} of ${to} would vanish, at the least`].join('\n');
}
