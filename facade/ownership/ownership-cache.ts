import { otherSide } from '../../strangler/routing/index.ts';
import type { Flags, RoutingState, SideName } from '../../strangler/routing/index.ts';
import type { Capability } from '../match/index.ts';
import { CohortOwnership, sameOwnership } from './cohort-ownership.ts';
import type { Cohort } from './cohort-ownership.ts';
import {
  NO_EVIDENCE,
  ownershipOf,
  withAcceptance,
  withFenceAnswer,
  withUpdate,
} from './ownership.ts';
import type { FenceAnswer, OwnershipEvidence, Ownership } from './ownership.ts';

/** A request that waits for an update; woken at most once. */
interface Waiter {
  wake(): void;
}

/**
 * Who owns what, as far as this facade knows; waiting requests are woken when that changes. `version`
 * grows with each change: a request that compares it with the one it acted on cannot miss a change.
 */
export class OwnershipCache {
  version = 0;
  /** Called for each change, before waiting requests are woken. */
  onChange: ((capability: Capability) => void) | undefined;
  readonly #evidence: OwnershipEvidence[] = [];
  readonly #ownership: Ownership[] = [];
  readonly #apart: CohortOwnership[] = [];
  #byName: ReadonlyMap<string, Capability> = new Map();
  readonly #flags: Pick<Flags, 'switch' | 'lastAsked'>;
  readonly #waiters = new Set<Waiter>();

  constructor(capabilities: readonly Capability[], flags: Pick<Flags, 'switch' | 'lastAsked'>) {
    this.#flags = flags;
    this.adopt(capabilities);
  }

  /** Caches these capabilities from now on; what is cached of them stays. */
  adopt(capabilities: readonly Capability[]): void {
    this.#byName = new Map(capabilities.map((capability) => [capability.name, capability]));
    for (const { index } of capabilities) {
      this.#evidence[index] ??= NO_EVIDENCE;
      this.#ownership[index] ??= ownershipOf(NO_EVIDENCE);
      this.#apart[index] ??= new CohortOwnership();
    }
  }

  /** Whether any capability is replicated, so that there is something to cache. */
  get hasReplicated(): boolean {
    return [...this.#byName.values()].some(({ replicated }) => replicated);
  }

  /** @param key whose rows are asked for; a key that has moved has another owner */
  of(capability: Capability, key?: string): Ownership {
    if (!capability.replicated) return this.#byFlag(capability);
    const rest = this.#ownership[capability.index] as Ownership;
    return key === undefined ? rest : (this.#apartOf(capability).of(key) ?? rest);
  }

  #apartOf({ index }: Capability): CohortOwnership {
    return this.#apart[index] as CohortOwnership;
  }

  /** Whether some keys of the capability have moved. */
  isSplit(capability: Capability): boolean {
    return this.#apartOf(capability).size > 0;
  }

  isInCohort(capability: Capability, key: string): boolean {
    return this.#apartOf(capability).of(key) !== undefined;
  }

  cohortsOf(capability: Capability): readonly Cohort[] {
    return this.#apartOf(capability).cohorts();
  }

  /** A digest of who owns what of the capability: equal as long as nothing has moved. */
  standing(capability: Capability): string {
    const { owner, epoch } = this.of(capability);
    return `${owner} ${epoch} ${this.#apartOf(capability).version}`;
  }

  /** Without databases the flag alone decides; a flag that requests nothing changes nothing. */
  #byFlag({ flags }: Capability): Ownership {
    const { on, made } = this.#flags.switch(flags.writes);
    const asked = on ?? this.#flags.lastAsked(flags.writes);
    if (asked === undefined) return made ? UNKNOWN : LEGACY;
    return asked ? EXTRACTED : LEGACY;
  }

  /** Whether the engine or a fence has reported every replicated capability. */
  get complete(): boolean {
    return [...this.#byName.values()].every((capability) => this.of(capability).known);
  }

  /** Whether the engine has ever reported it. */
  hasNews(capability: Capability): boolean {
    return this.#evidence[capability.index]?.update !== undefined;
  }

  /** Takes a routing update of the engine; unknown capabilities and older updates are ignored. */
  learn(update: RoutingState): void {
    const capability = this.#byName.get(update.capability);
    if (!capability) return;
    const before = this.#evidence[capability.index];
    const moved = this.#update(capability, (known) => withUpdate(known, update));
    if (this.#evidence[capability.index] === before) return;
    const cohortsMoved = this.#apartOf(capability).learn(update, this.of(capability));
    if (moved || cohortsMoved) this.#ring(capability);
  }

  /** @param key whose own fence answered; undefined for the fence of the capability */
  fenced(capability: Capability, key: string | undefined, answer: FenceAnswer): void {
    const moved =
      key === undefined
        ? this.#update(capability, (known) => withFenceAnswer(known, answer))
        : this.#apartOf(capability).fenced(key, answer, this.of(capability));
    if (moved) this.#ring(capability);
  }

  /** @param key whose write was accepted; unless it has moved, that also says who the default owner is */
  accepted(capability: Capability, key: string | undefined, side: SideName, epoch: number): void {
    const moved =
      key !== undefined && this.isInCohort(capability, key)
        ? this.#apartOf(capability).accepted(key, side, epoch, this.of(capability))
        : this.#update(capability, (known) => withAcceptance(known, side, epoch));
    if (moved) this.#ring(capability);
  }

  /** A side's own fence says that it is the owner. */
  opened(capability: Capability, key: string | undefined, side: SideName, epoch: number): void {
    const { owner, epoch: known } = this.of(capability, key);
    if (owner === side || known >= epoch) return;
    this.fenced(capability, key, { side: otherSide(side), state: 'ceded', epoch });
  }

  /** A side says that it gave the capability away for good: there will be no later epoch. */
  gone(capability: Capability, side: SideName): void {
    const { epoch } = this.of(capability);
    this.fenced(capability, undefined, { side, state: 'ceded', epoch });
  }

  /** @returns whether the owner changed: the engine repeats its updates every second */
  #update(
    capability: Capability,
    change: (known: OwnershipEvidence) => OwnershipEvidence,
  ): boolean {
    const before = this.#evidence[capability.index] as OwnershipEvidence;
    const after = change(before);
    if (after === before) return false;
    this.#evidence[capability.index] = after;
    const ownership = ownershipOf(after);
    if (sameOwnership(ownership, this.#ownership[capability.index] as Ownership)) return false;
    this.#ownership[capability.index] = ownership;
    return true;
  }

  #ring(capability: Capability): void {
    this.version += 1;
    this.onChange?.(capability);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.wake();
  }

  /**
   * Waits until something has changed since `version`, at most `limitMs`.
   * @param leave receives a function that ends the wait at once
   * @returns whether something has changed
   */
  nextUpdate(
    version: number,
    limitMs: number,
    leave: (wake: () => void) => void,
  ): Promise<boolean> {
    if (this.version !== version) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = {
        wake: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(this.version !== version);
        },
      };
      const timer = setTimeout(waiter.wake, limitMs);
      this.#waiters.add(waiter);
      leave(waiter.wake);
    });
  }
}

const LEGACY: Ownership = {
  owner: 'legacy',
  epoch: 0,
  replicaReady: true,
  holding: false,
  known: true,
  certain: false,
};
const EXTRACTED: Ownership = { ...LEGACY, owner: 'extracted' };
/** The flag decides and cannot be read: no side may take writes. */
const UNKNOWN: Ownership = { ...LEGACY, known: false };
