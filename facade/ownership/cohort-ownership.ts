import type { RoutingState, SideName } from '../../strangler/routing/index.ts';
import { ownershipOf, withAcceptance, withFenceAnswer, withUpdate } from './ownership.ts';
import type { FenceAnswer, OwnershipEvidence, Ownership } from './ownership.ts';

/** Keys that moved together. An answer about one of them holds for all. */
interface Group {
  readonly evidence: OwnershipEvidence;
  readonly ownership: Ownership;
  /** Of `performance.now()`. */
  readonly learntAt: number;
}

/** Keys with the same owner, as operators see them. */
export interface Cohort {
  readonly keys: number;
  readonly owner: SideName;
  readonly epoch: number;
  readonly holding: boolean;
}

/** How long an update may be on its way: what a fence has answered meanwhile is newer. */
const LATE_MS = 2_000;

/**
 * Who owns those keys of a capability that have moved by themselves, such as customers who went first. All
 * other keys belong to the default owner; so does a key that newer updates no longer name.
 */
export class CohortOwnership {
  /** Grows whenever something changes. */
  version = 0;
  #groups = new Map<string, Group>();

  get size(): number {
    return this.#groups.size;
  }

  of(key: string): Ownership | undefined {
    return this.#groups.get(key)?.ownership;
  }

  /** @returns whether the owner of any key changed */
  learn(update: RoutingState, rest: Ownership, now = performance.now()): boolean {
    const groups = new Map<string, Group>();
    for (const { keys, owner, epoch, holding } of update.cohorts ?? []) {
      const before = this.#knownOf(keys) ?? { lastOwner: rest.owner };
      const evidence = withUpdate(before, {
        ...update,
        owner,
        epoch,
        holding,
      });
      const group = { evidence, ownership: ownershipOf(evidence), learntAt: now };
      for (const key of keys) groups.set(key, group);
    }
    for (const [key, group] of this.#groups) {
      const mayBeNewer = group.evidence.update === undefined && now - group.learntAt < LATE_MS;
      if (mayBeNewer && !groups.has(key)) groups.set(key, group);
    }
    const changed = !sameOwners(this.#groups, groups);
    this.#groups = groups;
    return this.#noted(changed);
  }

  /** What is known of keys that move together: a fence may have said more of one of them. */
  #knownOf(keys: readonly string[]): OwnershipEvidence | undefined {
    let newest: Group | undefined;
    for (const key of keys) {
      const group = this.#groups.get(key);
      if (group && group !== newest && group.ownership.epoch >= (newest?.ownership.epoch ?? 0)) {
        newest = group;
      }
    }
    return newest?.evidence;
  }

  /**
   * The fence of a key refused a write.
   * @returns whether the owner of the key changed
   */
  fenced(key: string, answer: FenceAnswer, rest: Ownership): boolean {
    return this.#update(key, rest, (known) => withFenceAnswer(known, answer));
  }

  /** A side accepted a write of a key that has moved. */
  accepted(key: string, side: SideName, epoch: number, rest: Ownership): boolean {
    return this.#update(key, rest, (known) => withAcceptance(known, side, epoch));
  }

  #update(
    key: string,
    rest: Ownership,
    change: (known: OwnershipEvidence) => OwnershipEvidence,
  ): boolean {
    const group = this.#groups.get(key);
    const before = group?.evidence ?? { lastOwner: rest.owner };
    const evidence = change(before);
    if (evidence === before) return false;
    const ownership = ownershipOf(evidence);
    const after = { evidence, ownership, learntAt: performance.now() };
    if (!group) this.#groups.set(key, after);
    else for (const [each, of] of this.#groups) if (of === group) this.#groups.set(each, after);
    return this.#noted(!group || !sameOwnership(group.ownership, ownership));
  }

  #noted(changed: boolean): boolean {
    if (changed) this.version += 1;
    return changed;
  }

  cohorts(): readonly Cohort[] {
    const counts = new Map<Group, number>();
    for (const group of this.#groups.values()) counts.set(group, (counts.get(group) ?? 0) + 1);
    return [...counts].map(
      ([
        {
          ownership: { owner, epoch, holding },
        },
        keys,
      ]) => {
        return { keys, owner, epoch, holding };
      },
    );
  }
}

function sameOwners(left: ReadonlyMap<string, Group>, right: ReadonlyMap<string, Group>): boolean {
  if (left.size !== right.size) return false;
  for (const [key, { ownership }] of right) {
    const before = left.get(key)?.ownership;
    if (!before || !sameOwnership(before, ownership)) return false;
  }
  return true;
}

/** Whether two ownerships are equal; there may be one for each of thousands of keys. */
export function sameOwnership(left: Ownership, right: Ownership): boolean {
  return (
    left === right ||
    (left.owner === right.owner &&
      left.epoch === right.epoch &&
      left.replicaReady === right.replicaReady &&
      left.holding === right.holding &&
      left.known === right.known &&
      left.certain === right.certain)
  );
}
