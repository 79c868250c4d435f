import { isDeepStrictEqual } from 'node:util';
import type { Flags, RoutingState, SideName } from '../strangler/routing/index.ts';
import type { Capability } from './capability.ts';
import {
  NOTHING_KNOWN,
  ownershipOf,
  withAcceptance,
  withFenceAnswer,
  withNews,
} from './ownership.ts';
import type { FenceAnswer, Knowledge, Ownership } from './ownership.ts';

/** Somebody who waits for news; woken at most once. */
interface Waiter {
  wake(): void;
}

/**
 * Who owns what, as far as this facade knows, and a bell that rings when that changes. `version`
 * grows with each change: who compares it with the one they acted on can't miss a wake-up.
 */
export class RoutingBook {
  version = 0;
  /** Told of each change of what is known, before those who wait. */
  onChange: ((capability: Capability) => void) | undefined;
  readonly #knowledge: Knowledge[] = [];
  readonly #ownership: Ownership[] = [];
  #byName: ReadonlyMap<string, Capability> = new Map();
  readonly #flags: Pick<Flags, 'isEnabled'>;
  readonly #waiters = new Set<Waiter>();

  constructor(capabilities: readonly Capability[], flags: Pick<Flags, 'isEnabled'>) {
    this.#flags = flags;
    this.adopt(capabilities);
  }

  /** Follows these capabilities from now on; what is known of them stays. */
  adopt(capabilities: readonly Capability[]): void {
    this.#byName = new Map(capabilities.map((capability) => [capability.name, capability]));
    for (const { index } of capabilities) {
      this.#knowledge[index] ??= NOTHING_KNOWN;
      this.#ownership[index] ??= ownershipOf(NOTHING_KNOWN);
    }
  }

  /** Whether there is anything to be learnt: somebody's rows move. */
  get hasReplicated(): boolean {
    return [...this.#byName.values()].some(({ replicated }) => replicated);
  }

  of(capability: Capability): Ownership {
    if (!capability.replicated) return this.#byFlag(capability);
    return this.#ownership[capability.index] as Ownership;
  }

  /** Where no rows move there is no truth beside the intent. */
  #byFlag(capability: Capability): Ownership {
    return this.#flags.isEnabled(capability.flags.writes) ? EXTRACTED : LEGACY;
  }

  /** Whether the engine, or a fence, has told about every capability whose rows move. */
  get complete(): boolean {
    return [...this.#byName.values()].every((capability) => this.of(capability).known);
  }

  /** What the engine published; unknown capabilities and old news are ignored. */
  learn(news: RoutingState): void {
    const capability = this.#byName.get(news.capability);
    if (capability) this.#update(capability, (known) => withNews(known, news));
  }

  fenced(capability: Capability, answer: FenceAnswer): void {
    this.#update(capability, (known) => withFenceAnswer(known, answer));
  }

  accepted(capability: Capability, side: SideName, epoch: number): void {
    this.#update(capability, (known) => withAcceptance(known, side, epoch));
  }

  #update(capability: Capability, change: (known: Knowledge) => Knowledge): void {
    const before = this.#knowledge[capability.index] as Knowledge;
    const after = change(before);
    if (after === before) return;
    this.#knowledge[capability.index] = after;
    const ownership = ownershipOf(after);
    // The engine repeats itself every second; that is no reason to wake anybody.
    if (isDeepStrictEqual(ownership, this.#ownership[capability.index])) return;
    this.#ownership[capability.index] = ownership;
    this.version += 1;
    this.onChange?.(capability);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.wake();
  }

  /**
   * Waits until something is known that was not at `version`, at most `limitMs`.
   * @param leave hands out a function that ends the wait at once
   * @returns whether there is news
   */
  news(version: number, limitMs: number, leave: (wake: () => void) => void): Promise<boolean> {
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
