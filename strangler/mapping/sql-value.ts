/**
 * A value as a database holds it; whole numbers beyond 2^53 are bigints, BLOBs are bytes. A whole number that
 * is a real one says so until a codec other than `same` takes it.
 */
export type SqlValue = null | string | number | bigint | Uint8Array | WholeReal;
export type Row = Readonly<Record<string, SqlValue>>;

/** Beyond, no whole number is an integer of a database. */
const INTEGERS_END = 2 ** 63;

/**
 * A whole number that a database holds as a real one: 3.0, which JavaScript can't tell from 3. SQLite can:
 * 3.0 / 2 is 1.5 there, and 3 / 2 is 1.
 */
export class WholeReal {
  readonly number: number;
  /**
   * Whether its column would take the integer as well, so that the two are not the same; else the column's
   * type makes all of its numbers what they are.
   */
  readonly free: boolean;

  constructor(number: number, free: boolean) {
    this.number = number;
    this.free = free;
  }

  /** As its database writes it: only where integers may stand beside it does the point say something. */
  toString(): string {
    return this.free ? `${this.number}.0` : String(this.number);
  }

  /** What people are shown of it in JSON. */
  toJSON(): unknown {
    return this.free ? { $real: String(this) } : this.number;
  }
}

/** A real number of a database. @param free see `WholeReal` */
export function realOf(number: number, free: boolean): number | WholeReal {
  const ambiguous =
    Number.isInteger(number) && Math.abs(number) < INTEGERS_END && !Object.is(number, -0);
  return ambiguous ? new WholeReal(number, free) : number;
}

/** A value by what it is worth: as a number, where it is one. */
export function worthOf(value: SqlValue): Exclude<SqlValue, WholeReal> {
  return value instanceof WholeReal ? value.number : value;
}

/** The same for all but what a column tells from its worth. */
export function unlessFree(value: SqlValue): SqlValue {
  return isFreeReal(value) ? value : worthOf(value);
}

/** Whether a value may become another one where nothing but its worth is carried. */
export function isFreeReal(value: SqlValue): boolean {
  return value instanceof WholeReal && value.free;
}

/** Whether one of two numbers is a real and the other an integer, where a column tells the two apart. */
export function differInKind(left: SqlValue, right: SqlValue): boolean {
  return (isFreeReal(left) || isFreeReal(right)) && isReal(left) !== isReal(right);
}

function isReal(value: SqlValue): boolean {
  // A database's integers beyond the safe ones are bigints.
  return value instanceof WholeReal || (typeof value === 'number' && !Number.isSafeInteger(value));
}
