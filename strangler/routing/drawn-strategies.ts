import { defaultStrategies } from 'unleash-client/lib/strategy/index.js';
import type { Context, Strategy } from 'unleash-client';

/** Strategies that are on for a share, by a hash of who asks. */
const ROLLOUTS = new Set(['flexibleRollout', 'gradualRolloutUserId']);

/**
 * Unleash's own strategies for shares, which take the draw (`sessionId`) of a request that names no
 * customer where they would take the customer. All other strategies, and constraints, see that it
 * names none: a list of users never fits a request by chance.
 */
export const drawnStrategies: Strategy[] = defaultStrategies
  .filter(({ name }) => ROLLOUTS.has(name))
  .map((original) =>
    Object.assign(Object.create(original) as Strategy, {
      isEnabled: (parameters: Record<string, unknown>, context: Context) =>
        original.isEnabled(parameters, withDraw(context)),
    }),
  );

function withDraw(context: Context): Context {
  const { userId, sessionId } = context;
  return userId === undefined && sessionId !== undefined
    ? { ...context, userId: sessionId }
    : context;
}
