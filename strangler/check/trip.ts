import { errorText } from '../../chassis/index.ts';
import {
  carryValue,
  columnOn,
  HIDDEN,
  sameFor,
  sameValue,
  shown,
  writes,
} from '../mapping/index.ts';
import type { Codec, Pair, SqlValue } from '../mapping/index.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import type { SideInspector } from './inspector.ts';

export type Inspectors = Readonly<Record<SideName, SideInspector>>;

/** Why a value does not come back as it was. */
export interface TripFailure {
  readonly code: 'no_way' | 'does_not_fit' | 'no_way_back' | 'not_constant' | 'loses_value';
  readonly column: string;
  readonly value: string;
  readonly message: string;
}

/**
 * Takes one value of a column to the other side, puts it into the column there, and brings it back.
 * @param value as a column of `from` holds it
 * @returns null when it comes back as it was, or when nothing has to come back
 */
export function tripOf(
  inspectors: Inspectors,
  pair: Pair,
  codec: Codec,
  from: SideName,
  value: SqlValue,
): TripFailure | null {
  const to = otherSide(from);
  const [here, there] = [columnOn(codec, from), columnOn(codec, to)];
  // What another pair writes there, or nobody, this one need not carry.
  if (here === null || (there !== null && !writes(codec, to))) return null;
  const show = (any: SqlValue): string => (codec.secret ? HIDDEN : shown(any));
  const fail = (code: TripFailure['code'], message: string): TripFailure => ({
    code,
    column: `${pair[from].table}.${here}`,
    value: show(value),
    message: `${from} ${pair[from].table}.${here}: ${message}`,
  });
  if (codec.constant !== undefined) {
    if (sameValue(codec.constant, value)) return null;
    return fail(
      'not_constant',
      `${show(value)} would come back as ${shown(codec.constant)}, which the mapping says it always is`,
    );
  }
  if (there === null) return null;
  const column = (): string => `${pair[to].table}.${there}`;
  if (value === null) {
    if (inspectors[to].isNullable(pair[to].table, there)) return null;
    return fail('does_not_fit', `is NULL, which ${column()} does not take`);
  }
  const went = attempt(() => carry(codec, from, value));
  if (!went.ok) return fail('no_way', went.reason);
  const put = attempt(() => inspectors[to].stored(pair[to].table, there, went.value));
  if (!put.ok)
    return fail('does_not_fit', `${column()} does not take ${show(went.value)}: ${put.reason}`);
  if (!writes(codec, from)) return null;
  const back = attempt(() =>
    inspectors[from].stored(pair[from].table, here, carry(codec, to, put.value)),
  );
  if (!back.ok) {
    return fail(
      'no_way_back',
      `${show(value)} becomes ${show(put.value)} in ${column()}, which has no way back: ${back.reason}`,
    );
  }
  if (sameFor(codec, back.value, value)) return null;
  return fail(
    'loses_value',
    `${show(value)} becomes ${show(put.value)} in ${column()} and comes back as ${show(back.value)}`,
  );
}

function carry(codec: Codec, from: SideName, value: SqlValue): SqlValue {
  // A NULL never gets to a codec.
  return value === null ? null : carryValue(codec, from, value);
}
type Attempt = { ok: true; value: SqlValue } | { ok: false; reason: string };

function attempt(work: () => SqlValue): Attempt {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
}
