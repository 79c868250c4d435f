import { ownersOf } from '../replication/direction.ts';
import { REST } from '../ownership/fence-rows.ts';
import type { Refusal } from '../ownership/handover/gate.ts';
import type { Flags } from '../../routing/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';

/** Which keys somebody wants to move by themselves. */
export type CohortRequest =
  | { readonly customers: readonly string[] }
  /** In percent, of the keys that there are. */
  | { readonly share: number };

/** The keys that a request still has to move. */
export interface Cohort {
  /** The keys that are still at the other side. */
  readonly keys: readonly string[];
}

/** Why single keys of a capability can't move; undefined where they can. */
export function cohortRefusal(
  { data, declaration }: OpenCapability,
  to: SideName,
): Refusal<'cohorts'> | undefined {
  const { capability, mapping } = data;
  const { cohorts, drainFirst = [] } = declaration;
  const next = `fig ${to === 'extracted' ? 'switch' : 'reverse'} ${capability}`;
  const refusal = (reason: string): Refusal<'cohorts'> => ({
    ok: false,
    gate: 'cohorts',
    reason,
    next,
  });
  if (cohorts === undefined) return refusal(`the config of ${capability} names no cohorts`);
  if ('off' in cohorts) return refusal(`${capability} moves as a whole: ${cohorts.off}`);
  if (!mapping.cohortKey) {
    return refusal(`the mapping of ${capability} names no cohortKey to move by`);
  }
  if (drainFirst.length === 0) return undefined;
  return refusal(
    `the application of ${drainFirst.join(' and ')} can't say FENCED, so all writes of ${capability} ` +
      'have to finish first, not those of single keys',
  );
}

/**
 * The keys that a wish means, as explicit keys: a share by the hash by which `<capability>.reads` gives
 * a share of the customers to extracted, so that those whose reads moved first are the first to write.
 * New keys follow the rest.
 */
export async function cohortOf(
  opened: OpenCapability,
  facts: Facts,
  to: SideName,
  wish: CohortRequest,
  flags: Pick<Flags, 'bucket'>,
): Promise<Cohort> {
  const meant =
    'customers' in wish
      ? [...new Set(wish.customers)].sort()
      : await keysOfShare(opened, wish.share, flags);
  const fences = await fencesIn(facts);
  const owners = ownersOf(fences);
  const from = otherSide(to);
  const isThere = (key: string): boolean =>
    owners.has(key) ? owners.get(key) === to : fences[from].rest.state !== 'open';
  return { keys: meant.filter((key) => !isThere(key)) };
}

/** A row of nobody's has an empty key and stays with the rest. */
async function keysOfShare(
  { sides, data }: OpenCapability,
  share: number,
  flags: Pick<Flags, 'bucket'>,
): Promise<readonly string[]> {
  const known = await Promise.all([
    sides.legacy.store.knownKeys(),
    sides.extracted.store.knownKeys(),
  ]);
  const keys = [...new Set(known.flat())].filter((key) => key !== '' && key !== REST).sort();
  const flag = `${data.capability}.reads`;
  return keys.filter((key) => (flags.bucket(flag, key) ?? Number.POSITIVE_INFINITY) <= share);
}
