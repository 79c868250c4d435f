import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { SideName } from '../../routing/side.ts';
import type { Lease, SideStore } from '../ledger/store.ts';

/** How long an engine that is gone keeps others from taking over, in ms. */
const TTL_MS = 2_000;
/** Renewed so often that two renewals may fail. */
const RENEWALS_PER_TTL = 3;

/**
 * Names this run of an engine: a new one each time, since a restarted engine remembers nothing.
 * @param address where it takes orders, for who asks one that stands by
 */
export function newHolder(address?: string): string {
  const run = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  return address === undefined ? run : `${run}${AT}${address}`;
}

const AT = ' at ';

/** Where the holder of a lease takes orders; undefined where it does not say. */
export function addressOf(holder: string | null): string | undefined {
  const address = holder?.split(AT)[1];
  return address !== undefined && /^https?:/.test(address) && URL.canParse(address)
    ? address
    : undefined;
}

type Stores = Readonly<Partial<Record<SideName, SideStore>>>;
type HeldLeases = Readonly<Partial<Record<SideName, Lease>>>;

/** Always in this order, or two engines could each get one and wait for the other. */
const ORDER: readonly SideName[] = ['legacy', 'extracted'];

/** The right to act on one capability: a lease in each of its databases that has Fig's tables. */
export class Leases {
  readonly #stores: Stores;
  readonly #holder: string;
  /** How long a lease lasts unless it is renewed, in ms. */
  readonly #ttlMs: number;
  #held: HeldLeases | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stores: Stores, holder: string, ttlMs = TTL_MS) {
    this.#ttlMs = ttlMs;
    this.#stores = stores;
    this.#holder = holder;
  }

  get held(): HeldLeases | undefined {
    return this.#held;
  }

  /** Takes all leases and keeps them; false while another engine has one. */
  async take(onLost: () => void): Promise<boolean> {
    const held = await this.#takeAll();
    if (!held) return false;
    this.#held = held;
    let renewing = false;
    const renew = async (): Promise<void> => {
      if (renewing) return;
      renewing = true;
      if (!(await this.#renew())) onLost();
      renewing = false;
    };
    this.#timer = setInterval(() => void renew(), this.#ttlMs / RENEWALS_PER_TTL).unref();
    return true;
  }

  /** Whether the lease in one side's database is still ours; renews it. */
  async holds(side: SideName): Promise<boolean> {
    const held = this.#held?.[side];
    const store = this.#stores[side];
    if (!held || !store) return false;
    try {
      // One that had run out is not taken again: somebody may have acted in between.
      return await store.renewLease(held, this.#ttlMs);
    } catch {
      // An error of a database says nothing about who may act.
      return true;
    }
  }

  async #renew(): Promise<boolean> {
    const sides = ORDER.filter((side) => this.#held?.[side] !== undefined);
    const mine = await Promise.all(sides.map((side) => this.holds(side)));
    return mine.every(Boolean) || this.#held === undefined;
  }

  /** All of them or none: what was got is given back where the next one can't be got. */
  async #takeAll(): Promise<HeldLeases | undefined> {
    const taken: Partial<Record<SideName, Lease>> = {};
    let complete = false;
    try {
      for (const side of ORDER) {
        const store = this.#stores[side];
        if (!store) continue;
        const lease = await store.acquireLease(this.#holder, this.#ttlMs);
        if (!lease) return undefined;
        taken[side] = lease;
      }
      complete = true;
      return taken;
    } finally {
      if (!complete) await this.#giveBack(taken);
    }
  }

  /** Gives all back, so that the next engine need not wait. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    const held = this.#held;
    this.#held = undefined;
    if (held) await this.#giveBack(held);
  }

  async #giveBack(held: HeldLeases): Promise<void> {
    const giving = ORDER.map(async (side) => {
      const lease = held[side];
      if (lease) await this.#stores[side]?.releaseLease(lease);
    });
    await Promise.allSettled(giving);
  }
}
