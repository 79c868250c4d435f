import { databaseTrouble } from '../../chassis/index.ts';
import { brokenOffText } from '../doctor/index.ts';
import type { CapabilityController } from './capability-controller.ts';
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
  controller: CapabilityController,
  opened: OpenCapability,
  what: 'backfill' | 'comparison',
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { name, message } = error as Error;
    // An engine that has let go of the databases has cut it off itself.
    const isCutOff = controller.opened !== opened;
    if (!isCutOff && !NO_FAULT.has(name) && databaseTrouble(error) === undefined) {
      const { legacy, extracted } = opened.sides;
      for (const { checks } of [legacy, extracted]) {
        await checks.demandReconcile(brokenOffText(what, message)).catch(() => undefined);
      }
    }
    throw error;
  }
}
