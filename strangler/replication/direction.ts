import type { Fence } from '../../chassis/index.ts';
import type { FenceRows } from '../ownership/fence-rows.ts';
import type { SideName } from '../../routing/side.ts';
import { otherSide } from '../../routing/side.ts';
import { plural } from '../wording.ts';

/** Whose changes go where, and at which epoch of the target. */
export interface Direction {
  readonly from: SideName;
  readonly to: SideName;
  /** The target's epoch while this direction holds. */
  readonly epoch: number;
}

/** Both fences are open: only a restored backup can say that, and nothing may be applied. */
export class TwoOwnersError extends Error {
  override readonly name = 'TwoOwnersError';
}

/** Single keys are ahead of the rest, so neither side's rows are a copy of the other's. */
export class SplitError extends Error {
  override readonly name = 'SplitError';

  constructor(capability: string, keys: number) {
    super(
      `${plural(keys, 'key')} of ${capability} went ahead: each side owns some of its rows, and ` +
        `none can be copied over the other; let the rest follow, or bring them back: fig reverse ${capability}`,
    );
  }
}

export type Fences = Readonly<Record<SideName, Fence>>;

export function ownerOrThrow(fences: Fences): SideName | null {
  const { legacy, extracted } = fences;
  if (legacy.state === 'open' && extracted.state === 'open') {
    throw new TwoOwnersError(
      `both sides are open (legacy ${legacy.epoch}, extracted ${extracted.epoch}): a backup was restored`,
    );
  }
  if (legacy.state === 'open') return 'legacy';
  return extracted.state === 'open' ? 'extracted' : null;
}

/**
 * The direction that two fences ask for: from the owner, and between two owners from the side that
 * moved last, which is the one that was open.
 */
export function directionOf(fences: Fences): Direction {
  const from = ownerOrThrow(fences) ?? lastMoved(fences);
  const to = otherSide(from);
  return { from, to, epoch: fences[to].epoch };
}

function lastMoved({ legacy, extracted }: Fences): SideName {
  return extracted.epoch > legacy.epoch ? 'extracted' : 'legacy';
}

export function sameDirection(left: Direction | null, right: Direction): boolean {
  return left !== null && left.from === right.from && left.epoch === right.epoch;
}

/** All fences of both sides. */
export type AllFences = Readonly<Record<SideName, FenceRows>>;

/** The fences of the rest: of all keys that have none of their own. */
export function restOf({ legacy, extracted }: AllFences): Fences {
  return { legacy: legacy.rest, extracted: extracted.rest };
}

/** Whether single keys have fences of their own, on either side. */
export function isSplit({ legacy, extracted }: AllFences): boolean {
  return legacy.split || extracted.split;
}

/** The owner of each key that has a fence of its own; null where it has not exactly one. */
export function ownersOf(fences: AllFences): ReadonlyMap<string, SideName | null> {
  const { legacy, extracted } = fences;
  const known = told.get(legacy);
  if (known?.extracted === extracted) return known.owners;
  const owners = readOwners(fences);
  told.set(legacy, { extracted, owners });
  return owners;
}

/** Of thousands of keys: stores give the same rows again while nothing has become of them. */
const told = new WeakMap<
  FenceRows,
  { readonly extracted: FenceRows; readonly owners: ReadonlyMap<string, SideName | null> }
>();

function readOwners(fences: AllFences): ReadonlyMap<string, SideName | null> {
  const { legacy, extracted } = fences;
  const keys = [...new Set([...legacy.keys.keys(), ...extracted.keys.keys()])].sort();
  return new Map(keys.map((key) => [key, ownerOfKey(fences, key)]));
}

/** The owner of a row by its key; null where it has not exactly one. */
export function ownerOfKey({ legacy, extracted }: AllFences, key: string): SideName | null {
  const [left, right] = [legacy.of(key).state === 'open', extracted.of(key).state === 'open'];
  if (left === right) return null;
  return left ? 'legacy' : 'extracted';
}

/** Keys that both sides take writes of, which only a restored backup can bring about. */
export function twiceOwned(fences: AllFences): readonly string[] {
  const { legacy, extracted } = fences;
  return [...ownersOf(fences)]
    .filter(([key, owner]) => owner === null && legacy.of(key).state === extracted.of(key).state)
    .map(([key]) => key)
    .filter((key) => legacy.of(key).state === 'open');
}

/**
 * The directions in which changes go: that of the rest first, and where single keys have fences of
 * their own the other one, too. @throws TwoOwnersError
 */
export function directionsOf(fences: AllFences): readonly Direction[] {
  const first = directionOf(restOf(fences));
  if (!isSplit(fences)) return [first];
  const twice = twiceOwned(fences);
  if (twice.length > 0) {
    throw new TwoOwnersError(`both sides are open for ${twice.join(', ')}: a backup was restored`);
  }
  const { from, to } = first;
  return [
    { from, to, epoch: fences[to].epoch },
    { from: to, to: from, epoch: fences[from].epoch },
  ];
}
