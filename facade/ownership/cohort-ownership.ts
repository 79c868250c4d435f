import type { RoutingState, SideName } from '../../strangler/routing/index.ts';
import { ownershipOf, withAcceptance, withFenceAnswer, withUpdate } from './ownership.ts';
import type { FenceAnswer, OwnershipEvidence, Ownership } from './ownership.ts';

/** Keys that are owned together. What is learnt of one of them holds for all. */
interface Group {
  readonly evidence: OwnershipEvidence;
  readonly ownership: Ownership;
  /** Of `performance.now()`. */
  readonly learntAt: number;
}

/** Keys with the same owner, for those who look. */
export interface Cohort {
  readonly keys: number;
  readonly owner: SideName;
  readonly epoch: number;
  readonly holding: boolean;
}

/** How long news may be on its way: what a fence has told meanwhile is newer. */
const LATE_MS = 2_000;

/**
 * What is known of a capability's keys that have an owner of their own, such as customers who moved
 * ahead. All other keys follow the rest; so does a key that newer news names no more.
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

  /** @returns whether any key has another owner by it */
  learn(news: RoutingState, rest: Ownership, now = performance.now()): boolean {
    const groups = new Map<string, Group>();
    for (const { keys, owner, epoch, holding } of news.cohorts ?? []) {
      const before = this.#knownOf(keys) ?? { lastOwner: rest.owner };
      const evidence = withUpdate(before, {
        ...news,
        owner,
        epoch,
        holding,
      });
      const group = { evidence, ownership: ownershipOf(evidence), learntAt: now };
      for (const key of keys) groups.set(key, group);
    }
    for (const [key, group] of this.#groups) {
      const mayBeNewer = group.evidence.news === undefined && now - group.learntAt < LATE_MS;
      if (mayBeNewer && !groups.has(key)) groups.set(key, group);
    }
    const changed = !sameOwners(this.#groups, groups);
    this.#groups = groups;
    return this.#noted(changed);
  }

  /** What is known of keys that move together: of one of them a fence may have told more. */
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
   * The fence of a key turned a write away.
   * @returns whether the key has another owner by it
   */
  fenced(key: string, answer: FenceAnswer, rest: Ownership): boolean {
    return this.#update(key, rest, (known) => withFenceAnswer(known, answer));
  }

  /** A side accepted a write of a key that is known to be apart. */
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

/** Whether two beliefs are the same; there may be one for each of thousands of keys. */
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
