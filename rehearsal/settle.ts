import { setTimeout as delay } from 'node:timers/promises';
import type { Operator } from './operator.ts';

/** The part of `fig reconcile --json` that a rehearsal needs. */
interface Reconciled {
  readonly clean?: boolean;
  readonly pairs?: readonly {
    readonly missing: number;
    readonly extra: number;
    readonly different: number;
    readonly unsettled: number;
  }[];
}

const ATTEMPTS = 20;

/**
 * Compares both sides row for row through the mapping, again while rows are still on their way.
 * @returns how many rows differ
 */
export async function countMismatches(operator: Operator, capability: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const { output, code, errors } = await operator('reconcile', capability);
    const { clean, pairs } = output as Reconciled;
    if (clean === true) return 0;
    if (attempt === ATTEMPTS && pairs === undefined) {
      throw new Error(`fig reconcile ${capability} ended with ${code}: ${errors}`);
    }
    if (attempt === ATTEMPTS) {
      return (pairs ?? []).reduce(
        (sum, { missing, extra, different, unsettled }) =>
          sum + missing + extra + different + unsettled,
        0,
      );
    }
    await delay(250);
  }
}
