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
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { SideInspector } from './inspector.ts';
import { attempt } from './step.ts';
import type { Step } from './step.ts';

export type Inspectors = Readonly<Record<SideName, SideInspector>>;

/** Why a value does not come back as it was. */
export interface TripFailure {
  readonly code: 'no_way' | 'does_not_fit' | 'no_way_back' | 'not_constant' | 'loses_value';
  readonly column: string;
  readonly value: string;
  readonly message: string;
}

/**
 * Takes values of a column to the other side, puts them into the column there, and brings them back. The databases
 * themselves are asked what their columns make of them.
 * @param values as a column of `from` holds them
 * @returns for each, in their order, null when it comes back as it was, or when nothing has to come back
 */
export async function tripsOf(
  inspectors: Inspectors,
  pair: Pair,
  codec: Codec,
  from: SideName,
  values: readonly SqlValue[],
): Promise<readonly (TripFailure | null)[]> {
  const to = otherSide(from);
  const [here, there] = [columnOn(codec, from), columnOn(codec, to)];
  const trip = { pair, codec, from, nullable: true };
  // What another pair writes there, or nobody, this one need not carry.
  if (here === null || (there !== null && !writes(codec, to))) return values.map(() => null);
  if (codec.constant !== undefined) return values.map((value) => ofConstant(trip, value));
  if (there === null) return values.map(() => null);
  const nullable = inspectors[to].isNullable(pair[to].table, there);
  const went = values.map((value) => attempt(() => carry(codec, from, value)));
  const put = await held(inspectors[to], pair[to].table, there, went);
  const back = writes(codec, from)
    ? await held(
        inspectors[from],
        pair[from].table,
        here,
        put.map((step) => (step.ok ? attempt(() => carry(codec, to, step.value)) : step)),
      )
    : undefined;
  return values.map((value, index) => {
    const steps = { went: at(went, index), put: at(put, index), back: back && at(back, index) };
    return judge({ ...trip, nullable }, value, steps);
  });
}

interface Trip {
  readonly pair: Pair;
  readonly codec: Codec;
  readonly from: SideName;
  /** Whether the other side's column takes NULL. */
  readonly nullable: boolean;
}

interface Steps {
  readonly went: Step;
  readonly put: Step;
  /** Absent where nothing comes back. */
  readonly back: Step | undefined;
}

function ofConstant(trip: Trip, value: SqlValue): TripFailure | null {
  const { constant } = trip.codec;
  if (constant === undefined || sameValue(constant, value)) return null;
  const message = `${shownOf(trip, value)} would come back as ${shown(constant)}, which the mapping says it always is`;
  return failure(trip, value, 'not_constant', message);
}

function judge(trip: Trip, value: SqlValue, { went, put, back }: Steps): TripFailure | null {
  const { codec, pair, from } = trip;
  const to = otherSide(from);
  const column = `${pair[to].table}.${columnOn(codec, to)}`;
  const show = (any: SqlValue): string => shownOf(trip, any);
  const fail = (code: TripFailure['code'], message: string): TripFailure =>
    failure(trip, value, code, message);
  // What a database says of a value that it refuses repeats the value.
  const why = (reason: string): string => (codec.secret ? 'it is refused' : reason);
  if (value === null) {
    return trip.nullable ? null : fail('does_not_fit', `is NULL, which ${column} does not take`);
  }
  if (!went.ok) return fail('no_way', went.reason);
  if (!put.ok) {
    return fail('does_not_fit', `${column} does not take ${show(went.value)}: ${why(put.reason)}`);
  }
  if (back === undefined) return null;
  const became = `${show(value)} becomes ${show(put.value)} in ${column}`;
  if (!back.ok) return fail('no_way_back', `${became}, which has no way back: ${why(back.reason)}`);
  if (sameFor(codec, back.value, value)) return null;
  return fail('loses_value', `${became} and comes back as ${show(back.value)}`);
}

function failure(
  { pair, codec, from }: Trip,
  value: SqlValue,
  code: TripFailure['code'],
  message: string,
): TripFailure {
  const column = `${pair[from].table}.${columnOn(codec, from)}`;
  return {
    code,
    column,
    value: codec.secret ? HIDDEN : shown(value),
    message: `${from} ${column}: ${message}`,
  };
}

function shownOf({ codec }: Trip, value: SqlValue): string {
  return codec.secret ? HIDDEN : shown(value);
}

/** What a column holds of the values that got so far. */
async function held(
  inspector: SideInspector,
  table: string,
  column: string,
  steps: readonly Step[],
): Promise<readonly Step[]> {
  const values = steps.flatMap((step) => (step.ok ? [step.value] : []));
  const stored = (await inspector.stored(table, column, values)).values();
  return steps.map((step) => (step.ok ? (stored.next().value ?? step) : step));
}

function carry(codec: Codec, from: SideName, value: SqlValue): SqlValue {
  // A NULL never gets to a codec.
  return value === null ? null : carryValue(codec, from, value);
}

function at(steps: readonly Step[], index: number): Step {
  return steps[index] ?? { ok: true, value: null };
}
