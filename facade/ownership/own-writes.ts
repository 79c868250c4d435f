import type { Capability } from '../match/index.ts';
import { UnreplicatedWrites } from './unreplicated-writes.ts';

/** What a write changes, by a name that all workers know. */
export type Changed = Pick<Capability, 'name' | 'replicated'>;

/** What another worker's writes are noted in. */
export type Noted = Pick<UnreplicatedWrites, 'begin' | 'end'>;

/** Other workers at the same port, which must know who writes before that write is answered. */
export interface Peers {
  /** @returns when all of them know; undefined where there are none to be told */
  begin(changes: readonly Changed[], customer: string): Promise<void> | undefined;
  end(changes: readonly Changed[], customer: string): void;
}

/** A facade that is alone. */
export const NO_PEERS: Peers = { begin: () => undefined, end: () => undefined };

/** Which customers must read from the owner, since the other side may lack what they wrote. */
export class OwnWrites {
  readonly #peers: Peers;
  /** By `Capability.index`. */
  readonly #unreplicated: UnreplicatedWrites[] = [];
  #byName: ReadonlyMap<string, UnreplicatedWrites> = new Map();

  constructor(peers: Peers = NO_PEERS) {
    this.#peers = peers;
  }

  /** Follows these capabilities from now on; what is noted stays. */
  adopt(capabilities: readonly Capability[]): void {
    for (const { index } of capabilities) this.#unreplicated[index] ??= new UnreplicatedWrites();
    this.#byName = new Map(capabilities.map((each) => [each.name, this.of(each)]));
  }

  of({ index }: Capability): UnreplicatedWrites {
    return this.#unreplicated[index] as UnreplicatedWrites;
  }

  /** The same by name; for workers, which name capabilities to each other. */
  named(capability: string): UnreplicatedWrites | undefined {
    return this.#byName.get(capability);
  }

  /**
   * A write is about to be sent, and may take effect from then on. Must be followed by one `end`.
   * @returns resolves when the other workers know it too; undefined where there are none
   */
  begin(changes: readonly Capability[], customer: string): Promise<void> | undefined {
    for (const each of changes) this.of(each).begin(customer);
    return this.#peers.begin(changes, customer);
  }

  /** The write was answered, or nobody will ever know what became of it. */
  end(changes: readonly Capability[], customer: string): void {
    for (const each of changes) this.of(each).end(customer);
    this.#peers.end(changes, customer);
  }

  /** Whether all that the customer has written to the capability is known to be replicated. */
  isSettled(capability: Capability, customer: string): boolean {
    return this.of(capability).isSettled(customer);
  }
}
