import { createRandom } from '../../../rehearsal/index.ts';
import { CAPABILITIES } from '../base/rows.ts';
import type { Capability } from '../base/rows.ts';
import { planStrikes, strikeText } from '../base/strikes.ts';
import type { Strike } from '../base/strikes.ts';

/** Everything that a run does to its system, drawn before it begins. */
export interface FeedPlan {
  readonly strikes: readonly Strike[];
  /** What the operator does, in this order; a switched capability's feed runs back. */
  readonly commands: readonly { readonly verb: string; readonly capability: Capability }[];
}

const VICTIMS = [
  'engine',
  'engine',
  'engine',
  'redis',
  'redis',
  'monolith',
  'inventory',
  'payment',
] as const;

/** The same seed plans the same. */
export function planFeedRun(seed: number): FeedPlan {
  const random = createRandom(seed);
  const strikes = planStrikes(random, {
    count: random.between(4, 7),
    victims: VICTIMS,
    withinMs: 1_500,
  });
  const moves = CAPABILITIES.flatMap((capability) => {
    const verbs = random.pick([[], ['switch'], ['switch'], ['switch', 'reverse']]);
    return verbs.map((verb) => ({ verb, capability }));
  });
  return {
    strikes,
    commands: [...CAPABILITIES.map((capability) => ({ verb: 'backfill', capability })), ...moves],
  };
}

export function planText({ strikes, commands }: FeedPlan): string {
  const said = commands.map(({ verb, capability }) => `${verb} ${capability}`);
  return `${said.join(', ')}; meanwhile ${strikes.map(strikeText).join(', ')}`;
}
