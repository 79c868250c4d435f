import type { Fence } from '../../chassis/index.ts';

/** The fence of all keys that have none of their own. */
export const REST = '*';

/** One row of a database's fences. */
export interface KeyFence extends Fence {
  readonly key: string;
}

/** What a handover moves: single keys, or null for everything that its source still owns. */
export type Keys = readonly string[] | null;

/** The fences of one capability in one database. */
export class FenceRows {
  readonly rest: Fence;
  readonly keys: ReadonlyMap<string, Fence>;
  #epoch: number | undefined;

  constructor(rows: readonly KeyFence[]) {
    const all = new Map(rows.map(({ key, state, epoch }) => [key, { state, epoch }]));
    this.rest = all.get(REST) ?? { state: 'closed', epoch: 0 };
    all.delete(REST);
    this.keys = all;
  }

  /** The fence of a key: its own, or that of the rest. */
  of(key: string): Fence {
    return this.keys.get(key) ?? this.rest;
  }

  /** Whether single keys have fences of their own. */
  get split(): boolean {
    return this.keys.size > 0;
  }

  get all(): readonly Fence[] {
    return [this.rest, ...this.keys.values()];
  }

  /** The newest epoch of all: it only grows. */
  get epoch(): number {
    this.#epoch ??= newest(this.all);
    return this.#epoch;
  }

  /** The newest epoch at which something was ceded to the other side; null when nothing was. */
  get cededAt(): number | null {
    const ceded = this.all.filter(({ state }) => state === 'ceded');
    return ceded.length === 0 ? null : newest(ceded);
  }

  get anyOpen(): boolean {
    return this.all.some(({ state }) => state === 'open');
  }

  /**
   * What the fences of a handover's set say together at its source. They move in one transaction, so
   * anything but one state is somebody's hand in them, and no state of a handover.
   * @param epoch of the handover, which is above all epochs from before it
   */
  giving(keys: Keys, epoch: number): Fence {
    if (keys === null && !this.split) return this.rest;
    const set = keys
      ? keys.map((key) => this.of(key))
      : this.all.filter((fence) => fence.state === 'open' || fence.epoch >= epoch);
    const [first = this.rest] = set;
    if (set.length === 0) return first;
    if (set.every(({ state, epoch: at }) => state === 'open' && at < epoch)) {
      return { state: 'open', epoch: epoch - 1 };
    }
    const odd = set.find(({ state, epoch: at }) => state !== first.state || at !== first.epoch);
    return odd ? { state: 'closed', epoch: -1 } : first;
  }

  /** The same at its target, where some of everything may be owned already. */
  taking(keys: Keys): Fence {
    const set = keys ? keys.map((key) => this.of(key)) : this.all;
    const pending = set.filter(({ state }) => state !== 'open');
    const [first] = pending;
    if (first) return { state: first.state, epoch: newest(pending) };
    return { state: 'open', epoch: newest(set) };
  }
}

function newest(fences: readonly Fence[]): number {
  return fences.reduce((most, { epoch }) => Math.max(most, epoch), -1);
}

/** A compare-and-set of fences, as far as rows decide it. */
interface Move {
  readonly from: Fence;
  readonly keys?: Keys;
}

/**
 * The fences that a move is about: those of its keys, or everything in the state it starts from. An
 * open fence may be older than that: each key has its own epoch until it moves.
 * @returns null when one of them is not where the move starts, or there are none
 */
export function movable(rows: readonly KeyFence[], { from, keys = null }: Move): KeyFence[] | null {
  const older = from.state === 'open' && rows.length > 1;
  const starts = ({ state, epoch }: Fence): boolean =>
    state === from.state && (older ? epoch <= from.epoch : epoch === from.epoch);
  const named = keys && new Set(keys);
  const set = rows.filter(({ key, state }) =>
    named === null ? state === from.state : named.has(key),
  );
  if (keys === null && from.state !== 'open') {
    const moving = set.filter(starts);
    return moving.length > 0 ? moving : null;
  }
  const whole = set.length > 0 && (keys === null || set.length === keys.length);
  return whole && set.every(starts) ? set : null;
}

/** The fences of a handover's set. */
export function rowsOf(rows: readonly KeyFence[], keys: Keys): readonly KeyFence[] {
  if (keys === null) return rows;
  const named = new Set(keys);
  return rows.filter(({ key }) => named.has(key));
}

/**
 * What the row of the rest becomes once all keys are where the rest is: none of them needs its own.
 * @returns null while that is not so
 */
export function merged(rows: readonly KeyFence[]): Fence | null {
  const [first] = rows;
  if (first === undefined || rows.length < 2) return null;
  const open = first.state === 'open';
  if (rows.some(({ state }) => (state === 'open') !== open)) return null;
  // The newest says how it came to be so; an epoch must not fall back.
  const { state, epoch } = rows.reduce((top, row) => (row.epoch > top.epoch ? row : top));
  return { state, epoch };
}

/** Keys as the database keeps them with a handover. */
export function encodeKeys(keys: Keys): string | null {
  return keys === null ? null : JSON.stringify(keys);
}

export function decodeKeys(text: string | null | undefined): Keys {
  return text === null || text === undefined ? null : (JSON.parse(text) as string[]);
}

/** The fence of the rest, and what tells whether anything has become of the others. */
export interface FenceDigest extends Fence {
  readonly rows: number;
  readonly epochs: number;
  readonly open: number;
  readonly ceded: number;
}

/**
 * Remembers the fences of one database: there may be thousands, and somebody asks every moment. What
 * moves a fence looks at the rows themselves.
 */
export class FenceCache {
  #digest = '';
  #rows = new FenceRows([]);

  /** @param read reads all rows, which is done only when the digest is another one */
  async take(digest: FenceDigest, read: () => Promise<readonly KeyFence[]>): Promise<FenceRows> {
    const { state, epoch } = digest;
    if (digest.rows < 2) return new FenceRows([{ key: REST, state, epoch }]);
    const text = JSON.stringify(digest);
    if (text !== this.#digest) {
      this.#rows = new FenceRows(await read());
      this.#digest = text;
    }
    return this.#rows;
  }
}
