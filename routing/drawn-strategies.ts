import { defaultStrategies } from 'unleash-client/lib/strategy/index.js';
import type { Context, Strategy } from 'unleash-client';
import { DRAW } from './flag-context.ts';

/** Strategies that are on for a share, by a hash of who asks. */
const ROLLOUTS = new Set(['flexibleRollout', 'gradualRolloutUserId', 'gradualRolloutSessionId']);

/**
 * Unleash's own strategies for shares: by user or by session, it is the customer who is in a share or
 * not, and the draw of a request that names none. All other strategies, and all constraints, see that
 * it names none: a list of users, or a bound on numbers, never fits a request by chance.
 */
export const drawnStrategies: Strategy[] = defaultStrategies
  .filter(({ name }) => ROLLOUTS.has(name))
  .map((original) =>
    Object.assign(Object.create(original) as Strategy, {
      isEnabled: (parameters: Record<string, unknown>, context: Context) =>
        original.isEnabled(parameters, withAsker(context)),
    }),
  );

function withAsker(context: Context & { readonly [DRAW]?: string }): Context {
  const asker = context.userId ?? context[DRAW];
  return asker === undefined ? context : { ...context, userId: asker, sessionId: asker };
}
