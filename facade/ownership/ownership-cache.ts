import type { Flags, RoutingState, SideName } from '../../routing/index.ts';
import type { Capability } from '../match/index.ts';
import type { Asker } from '../request/index.ts';
import { CohortOwnership, keyless } from './cohort-ownership.ts';
import type { Cohort, KeyOwnership } from './cohort-ownership.ts';
import type { FenceAnswer, Ownership } from './ownership.ts';

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
  /** By `Capability.index`. */
  readonly #owners: CohortOwnership[] = [];
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
    for (const { index } of capabilities) this.#owners[index] ??= new CohortOwnership();
  }

  /** Whether any capability is replicated, so that there is something to cache. */
  get hasReplicated(): boolean {
    return [...this.#byName.values()].some(({ replicated }) => replicated);
  }

  /** Who owns the rows that a request is about. */
  of(capability: Capability, asker: Asker): KeyOwnership {
    const { cohorts } = capability;
    if (cohorts === undefined) return this.ofKey(capability, undefined);
    return this.ofKey(
      capability,
      cohorts.isCustomer ? asker.customer : asker.keys?.[cohorts.header],
    );
  }

  /** Who owns the rows of a key, as a fence names it. */
  ofKey(capability: Capability, key: string | undefined): KeyOwnership {
    if (!capability.replicated) return keyless(this.#byFlag(capability));
    return this.#of(capability).of(key, capability.cohorts !== undefined || key !== undefined);
  }

  /** Who owns the rows of all keys that have not moved by themselves. */
  ofDefault(capability: Capability): Ownership {
    return capability.replicated ? this.#of(capability).default : this.#byFlag(capability);
  }

  #of({ index }: Capability): CohortOwnership {
    return this.#owners[index] as CohortOwnership;
  }

  cohortsOf(capability: Capability): readonly Cohort[] {
    return this.#of(capability).cohorts();
  }

  /** A digest of who owns what of the capability: equal as long as nothing has moved. */
  digest(capability: Capability): string {
    return this.#of(capability).digest;
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
    return [...this.#byName.values()].every((capability) => this.ofDefault(capability).known);
  }

  /** Whether the engine has ever reported it. */
  isReported(capability: Capability): boolean {
    return this.#of(capability).isReported;
  }

  /** Takes a routing update of the engine; unknown capabilities and older updates are ignored. */
  learn(update: RoutingState): void {
    const capability = this.#byName.get(update.capability);
    if (capability) this.#note(capability, this.#of(capability).learn(update));
  }

  /** @param key whose own fence answered; undefined for the fence of the capability */
  fenced(capability: Capability, key: string | undefined, answer: FenceAnswer): void {
    this.#note(capability, this.#of(capability).fenced(key, answer));
  }

  /** @param key whose write was accepted; unless it has moved, that also says who the default owner is */
  accepted(capability: Capability, key: string | undefined, side: SideName, epoch: number): void {
    this.#note(capability, this.#of(capability).accepted(key, side, epoch));
  }

  /** A side's own fence says that it is the owner. */
  opened(capability: Capability, key: string | undefined, side: SideName, epoch: number): void {
    this.#note(capability, this.#of(capability).opened(key, side, epoch));
  }

  /** A side says that it gave the capability away for good: there will be no later epoch. */
  gone(capability: Capability, side: SideName): void {
    this.#note(capability, this.#of(capability).gone(side));
  }

  #note(capability: Capability, changed: boolean): void {
    if (!changed) return;
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
