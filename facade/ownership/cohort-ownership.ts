import type { RoutingState, SideName } from '../../routing/index.ts';
import { otherSide } from '../../routing/index.ts';
import {
  NO_EVIDENCE,
  ownershipOf,
  withAcceptance,
  withFenceAnswer,
  withUpdate,
} from './ownership.ts';
import type { FenceAnswer, OwnershipEvidence, Ownership } from './ownership.ts';

/** Who owns the rows of one key, or of all keys that have not moved by themselves. */
export interface KeyOwnership extends Ownership {
  /** Undefined where the capability has no keys, or the request names none. */
  readonly key: string | undefined;
  /** Whether the key has moved, so that its owner may differ from the default owner. */
  readonly inCohort: boolean;
  /** Whether the owner can't be told: some keys have moved, and the request names none. */
  readonly isUnknown: boolean;
}

/** Keys that moved together, or all that have not moved. An answer about one of them holds for all. */
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
 * Who owns which key of one capability. Keys may move by themselves, such as customers who went first.
 * All other keys belong to the default owner; so does a key that newer updates no longer name. A
 * capability without keys has the default owner alone.
 */
export class CohortOwnership {
  #default = groupOf(NO_EVIDENCE, 0);
  #cohorts: ReadonlyMap<string, Group> = new Map();
  /** Grows whenever the owner of a key in a cohort changes. */
  #changes = 0;
  #ofDefault = keyless(this.#default.ownership);

  /** The default owner. */
  get default(): Ownership {
    return this.#default.ownership;
  }

  /** Whether the engine has ever reported the capability. */
  get isReported(): boolean {
    return this.#default.evidence.update !== undefined;
  }

  /** A digest of who owns what: equal as long as nothing has moved. */
  get digest(): string {
    const { owner, epoch } = this.default;
    return `${owner} ${epoch} ${this.#changes}`;
  }

  /**
   * Who owns the rows that a request is about.
   * @param key that the request names
   * @param hasKeys whether requests to the capability name keys at all
   */
  of(key: string | undefined, hasKeys = true): KeyOwnership {
    if (!hasKeys) return this.#ofDefault;
    const group = key === undefined ? undefined : this.#cohorts.get(key);
    const isUnknown = key === undefined && this.#cohorts.size > 0;
    const ownership = group?.ownership ?? this.default;
    return { ...ownership, key, inCohort: group !== undefined, isUnknown };
  }

  /** @returns whether the owner of any key changed: the engine repeats its updates every second */
  learn(update: RoutingState, now = performance.now()): boolean {
    const before = this.#default;
    const changed = this.#setDefault(withUpdate(before.evidence, update));
    if (this.#default === before) return false;
    return this.#learnCohorts(update, now) || changed;
  }

  #learnCohorts(update: RoutingState, now: number): boolean {
    const cohorts = new Map<string, Group>();
    for (const { keys, owner, epoch, holding } of update.cohorts ?? []) {
      const before = this.#knownOf(keys) ?? this.#startOfCohort();
      const group = groupOf(withUpdate(before, { ...update, owner, epoch, holding }), now);
      for (const key of keys) cohorts.set(key, group);
    }
    for (const [key, group] of this.#cohorts) {
      const mayBeNewer = group.evidence.update === undefined && now - group.learntAt < LATE_MS;
      if (mayBeNewer && !cohorts.has(key)) cohorts.set(key, group);
    }
    const changed = !sameOwners(this.#cohorts, cohorts);
    this.#cohorts = cohorts;
    return this.#noted(changed);
  }

  /** What is known of keys that move together: a fence may have said more of one of them. */
  #knownOf(keys: readonly string[]): OwnershipEvidence | undefined {
    let newest: Group | undefined;
    for (const key of keys) {
      const group = this.#cohorts.get(key);
      if (group && group !== newest && group.ownership.epoch >= (newest?.ownership.epoch ?? 0)) {
        newest = group;
      }
    }
    return newest?.evidence;
  }

  /** Keys that move for the first time belong to the default owner until then. */
  #startOfCohort(): OwnershipEvidence {
    return { lastOwner: this.default.owner };
  }

  /**
   * A fence refused a request.
   * @param key whose own fence it was; undefined for the fence of all keys that have not moved
   * @returns whether the owner of any key changed
   */
  fenced(key: string | undefined, answer: FenceAnswer): boolean {
    return this.#update(key, (known) => withFenceAnswer(known, answer));
  }

  /**
   * A side accepted a write.
   * @param key whose write it was; unless it has moved, that also says who the default owner is
   * @returns whether the owner of any key changed
   */
  accepted(key: string | undefined, side: SideName, epoch: number): boolean {
    const inCohort = key !== undefined && this.#cohorts.has(key);
    return this.#update(inCohort ? key : undefined, (known) => withAcceptance(known, side, epoch));
  }

  /** A side's own fence says that it is the owner. @returns whether the owner of any key changed */
  opened(key: string | undefined, side: SideName, epoch: number): boolean {
    const { owner, epoch: known } = this.of(key);
    if (owner === side || known >= epoch) return false;
    return this.fenced(key, { side: otherSide(side), state: 'ceded', epoch });
  }

  /**
   * A side says that it gave the capability away for good: there will be no later epoch.
   * @returns whether the owner of any key changed
   */
  gone(side: SideName): boolean {
    return this.fenced(undefined, { side, state: 'ceded', epoch: this.default.epoch });
  }

  /** @param change returns the same evidence where it says nothing new */
  #update(
    key: string | undefined,
    change: (known: OwnershipEvidence) => OwnershipEvidence,
  ): boolean {
    if (key === undefined) return this.#setDefault(change(this.#default.evidence));
    const group = this.#cohorts.get(key);
    const before = group?.evidence ?? this.#startOfCohort();
    const evidence = change(before);
    if (evidence === before) return false;
    const after = groupOf(evidence, performance.now());
    const cohorts = new Map(this.#cohorts).set(key, after);
    for (const [each, of] of cohorts) if (of === group) cohorts.set(each, after);
    this.#cohorts = cohorts;
    return this.#noted(!group || !sameOwnership(group.ownership, after.ownership));
  }

  #setDefault(evidence: OwnershipEvidence): boolean {
    const before = this.#default;
    if (evidence === before.evidence) return false;
    this.#default = groupOf(evidence, performance.now());
    this.#ofDefault = keyless(this.default);
    return !sameOwnership(before.ownership, this.default);
  }

  #noted(changed: boolean): boolean {
    if (changed) this.#changes += 1;
    return changed;
  }

  cohorts(): readonly Cohort[] {
    const counts = new Map<Group, number>();
    for (const group of this.#cohorts.values()) counts.set(group, (counts.get(group) ?? 0) + 1);
    return [...counts].map(([{ ownership }, keys]) => {
      const { owner, epoch, holding } = ownership;
      return { keys, owner, epoch, holding };
    });
  }
}

/** The same for a capability whose requests name no key. */
export function keyless(ownership: Ownership): KeyOwnership {
  return { ...ownership, key: undefined, inCohort: false, isUnknown: false };
}

function groupOf(evidence: OwnershipEvidence, learntAt: number): Group {
  return { evidence, ownership: ownershipOf(evidence), learntAt };
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
function sameOwnership(left: Ownership, right: Ownership): boolean {
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
