import type { Capability } from './capability.ts';

/** What a request says of whom it is about. */
export interface Asker {
  readonly customer: string | undefined;
  /** By header, where a capability's keys are named by another one than the customer's. */
  readonly keys?: Readonly<Record<string, string>> | undefined;
}

/** Whose rows of a capability a request is about, as far as it says; they may have an owner of their own. */
export function keyOf({ cohorts }: Capability, { customer, keys }: Asker): string | undefined {
  if (cohorts === undefined) return undefined;
  return cohorts.isCustomer ? customer : keys?.[cohorts.header];
}
