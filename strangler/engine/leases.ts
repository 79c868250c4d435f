import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { SideName } from '../side.ts';
import type { Lease, SideStore } from '../store.ts';

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

type HeldLeases = Readonly<Record<SideName, Lease>>;

/** The right to act on one capability: a lease in each of its databases. */
export class Leases {
  /** How long a lease lasts unless it is renewed, in ms. */
  static readonly ttlMs = TTL_MS;
  readonly #stores: Readonly<Record<SideName, SideStore>>;
  readonly #holder: string;
  readonly #ttlMs: number;
  #held: HeldLeases | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stores: Readonly<Record<SideName, SideStore>>, holder: string, ttlMs = TTL_MS) {
    this.#ttlMs = ttlMs;
    this.#stores = stores;
    this.#holder = holder;
  }

  get held(): HeldLeases | undefined {
    return this.#held;
  }

  /** Takes both leases and keeps them; false while another engine has one. */
  async take(onLost: () => void): Promise<boolean> {
    // Always in this order, or two engines could each get one and wait for the other.
    const legacy = await this.#stores.legacy.acquireLease(this.#holder, this.#ttlMs);
    if (!legacy) return false;
    const extracted = await this.#takeOrGiveBack(legacy);
    if (!extracted) return false;
    this.#held = { legacy, extracted };
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
    if (!held) return false;
    try {
      const now = await this.#stores[side].acquireLease(this.#holder, this.#ttlMs);
      // A new token means that it had run out, and somebody may have acted in between.
      return now?.token === held.token;
    } catch {
      // An error of a database says nothing about who may act.
      return true;
    }
  }

  async #renew(): Promise<boolean> {
    const mine = await Promise.all([this.holds('legacy'), this.holds('extracted')]);
    return mine.every(Boolean) || this.#held === undefined;
  }

  async #takeOrGiveBack(legacy: Lease): Promise<Lease | null> {
    let extracted: Lease | null = null;
    try {
      extracted = await this.#stores.extracted.acquireLease(this.#holder, this.#ttlMs);
    } finally {
      if (!extracted) await this.#stores.legacy.releaseLease(legacy);
    }
    return extracted;
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
