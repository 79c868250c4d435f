import { types } from 'pg';

const { BOOL, BYTEA, FLOAT4, FLOAT8, INT2, INT4, INT8, OID } = types.builtins;
const AS_PG_DOES: ReadonlySet<number> = new Set([BOOL, BYTEA, FLOAT4, FLOAT8, INT2, INT4, OID]);
const WHOLE: ReadonlySet<number> = new Set([INT8]);

/** Whole numbers are numbers, or bigints beyond 2^53; what pg makes a Date or an object stays text. */
export const VALUES = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: never) => unknown {
    if (WHOLE.has(oid)) return wholeNumber;
    return AS_PG_DOES.has(oid) ? types.getTypeParser(oid, format) : (value) => value;
  },
};

function wholeNumber(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
