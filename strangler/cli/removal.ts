import type { RemovalPlan } from '../engine/index.ts';
import { plural } from '../wording.ts';
import { ago, confirmed } from '../../chassis/cli/index.ts';
import type { Output } from '../../chassis/cli/index.ts';
import type { EngineClient } from './engine-client.ts';

interface Removal {
  readonly capability: string;
  readonly deleteRows: number | undefined;
  readonly yes: boolean;
  /** The command that was given, without --yes. */
  readonly command: string;
}

/**
 * Says what both sides hold before the owner's rows replace the other side's, and asks.
 * @throws CommandError unless it may be; where more than a few rows would vanish, by the engine
 */
export async function agreedOnRemoval(
  engine: EngineClient,
  output: Output,
  { capability, deleteRows, yes, command }: Removal,
): Promise<void> {
  const plan = (await engine.order('/removals', { capability, deleteRows })) as RemovalPlan;
  // Also without a question: a script's log then shows what was there before.
  output.say(removalText(plan));
  await confirmed(output, {
    look: () => ({ question: questionFor(plan) }),
    yes,
    command,
  });
}

function questionFor({ from, to, pairs, removed }: RemovalPlan): string {
  const isEmpty = removed === 0 && pairs.every((pair) => pair[to] === 0);
  return isEmpty
    ? `Copy the rows of ${from} to ${to}?`
    : `Replace the rows of ${to} by those of ${from}?`;
}

/** What both sides hold, and how many rows would vanish. */
export function removalText({ from, to, pairs, newest, removed, compared }: RemovalPlan): string {
  const sides = [from, to].map((side) => {
    const at = newest[side];
    const write = at === null ? 'no write is known' : `the newest write ${ago(Date.now() - at)}`;
    const counts = pairs.map((pair) => `${pair.pair} ${pair[side]}`).join(', ');
    return `${side}: ${counts}; ${write}`;
  });
  const how = compared ? '' : ', by their counts: comparing them takes too long';
  const rows = removed === 0 ? 'no row' : plural(removed, 'row');
  return [...sides, `${rows} of ${to} would vanish${how}`].join('\n');
}
