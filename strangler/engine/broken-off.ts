import { databaseTrouble } from '../../chassis/index.ts';
import { brokenOffText } from '../doctor/index.ts';
import type { OpenCapability } from './open-capability.ts';

/** These end such work as well, and nothing is wrong with the rows: it was stopped, or must not be. */
const NO_FAULT = new Set([
  'AbortError',
  'SplitError',
  'TwoOwnersError',
  'NotTargetError',
  'Problem',
]);

/**
 * Waits for work that a gate asks for. Where it breaks off, the databases remember why: a gate whose remedy
 * fails is not well, however equal both sides looked the last time.
 * @throws what the work throws
 */
export async function remembered<T>(
  { sides }: OpenCapability,
  what: 'backfill' | 'comparison',
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { name, message } = error as Error;
    if (!NO_FAULT.has(name) && databaseTrouble(error) === undefined) {
      for (const { checks } of [sides.legacy, sides.extracted]) {
        await checks.demandReconcile(brokenOffText(what, message)).catch(() => undefined);
      }
    }
    throw error;
  }
}
