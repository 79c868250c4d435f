import { Problem } from '../../chassis/index.ts';
import { planRemoval, refuseRemoval } from '../replication/copy/index.ts';
import type { RemovalPlan } from '../replication/copy/index.ts';
import { restOf } from '../replication/direction.ts';
import { fencesIn, readFacts } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';
import { ownerOf } from '../ownership/owner.ts';

/**
 * Counts both sides before the owner's rows replace those of the other side, and refuses where more than a few
 * rows would vanish.
 * @param deleteRows the number that a person has named, which then has to be exactly that
 * @throws Problem `no_owner` while no side owns the capability; `would_delete_rows`
 */
export async function agreedRemoval(
  opened: OpenCapability,
  deleteRows?: number,
): Promise<RemovalPlan> {
  const { sides, data } = opened;
  const { mapping, capability } = data;
  const next = `fig doctor ${capability}`;
  const from = ownerOf(restOf(await fencesIn(readFacts(sides))));
  if (from === null) {
    const members = { capability, next };
    throw new Problem(409, 'no_owner', `${capability} has not exactly one owner`, { members });
  }
  const plan = await planRemoval({ mapping, sides, from });
  const otherwise = `see that ${from} has not lost them, and then name the number:`;
  refuseRemoval(plan, { deleteRows, otherwise, next });
  return plan;
}
