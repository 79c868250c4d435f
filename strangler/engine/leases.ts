import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { SideName } from '../side.ts';
import type { Lease, SideStore } from '../store.ts';

/** How long an engine that is gone keeps others from taking over, in ms. */
export const LEASE_TTL_MS = 2_000;
const RENEW_MS = 600;

/** Names this run of an engine: a new one each time, since a restarted engine remembers nothing. */
export function newHolder(): string {
  return `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
}

type Held = Readonly<Record<SideName, Lease>>;

/** The right to act on one capability: a lease in each of its databases. */
export class Leases {
  readonly #stores: Readonly<Record<SideName, SideStore>>;
  readonly #holder: string;
  #held: Held | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stores: Readonly<Record<SideName, SideStore>>, holder: string) {
    this.#stores = stores;
    this.#holder = holder;
  }

  get held(): Held | undefined {
    return this.#held;
  }

  /** Takes both leases and keeps them; false while another engine has one. */
  async take(onLost: () => void): Promise<boolean> {
    // Always in this order, or two engines could each get one and wait for the other.
    const legacy = await this.#stores.legacy.acquireLease(this.#holder, LEASE_TTL_MS);
    if (!legacy) return false;
    const extracted = await this.#stores.extracted.acquireLease(this.#holder, LEASE_TTL_MS);
    if (!extracted) {
      await this.#stores.legacy.releaseLease(legacy);
      return false;
    }
    this.#held = { legacy, extracted };
    this.#timer = setInterval(() => {
      void this.renew().then((mine) => {
        if (!mine) onLost();
      });
    }, RENEW_MS).unref();
    return true;
  }

  /** Whether both are still ours; an error of a database says nothing about that. */
  async renew(): Promise<boolean> {
    const held = this.#held;
    if (!held) return false;
    try {
      const legacy = await this.#stores.legacy.acquireLease(this.#holder, LEASE_TTL_MS);
      const extracted = await this.#stores.extracted.acquireLease(this.#holder, LEASE_TTL_MS);
      // A new token means that it had run out, and somebody may have acted in between.
      return legacy?.token === held.legacy.token && extracted?.token === held.extracted.token;
    } catch {
      return true;
    }
  }

  /** Gives both back, so that the next engine need not wait. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    const held = this.#held;
    this.#held = undefined;
    if (!held) return;
    await Promise.allSettled([
      this.#stores.legacy.releaseLease(held.legacy),
      this.#stores.extracted.releaseLease(held.extracted),
    ]);
  }
}
