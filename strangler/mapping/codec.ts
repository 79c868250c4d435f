import type { SideName } from '../../routing/side.ts';
import { BrokenText } from './broken-text.ts';
import type { SqlValue } from './sql-value.ts';

/** A value that the mapping does not know how to carry: the mapping or the row must change. */
export class MappingError extends Error {
  override readonly name = 'MappingError';
}

/** How one column of one side becomes one column of the other, and back. */
export interface Codec {
  /** What the codec is and with which settings; also what the mapping's hash is made of. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly legacy: string | null;
  readonly extracted: string | null;
  /** The way. NULL stays NULL and never gets here. @throws MappingError */
  forward(value: SqlValue): SqlValue;
  /** The way back: `backward(forward(value))` is `value`. @throws MappingError */
  backward(value: SqlValue): SqlValue;
  /** Whether it keeps the byte order of values, as a key's codec must. */
  readonly keepsOrder: boolean;
  /** All values of the extracted column start with this text. */
  readonly prefix?: string;
  /** The column holds this one value in every row of the pair. */
  readonly constant?: SqlValue;
  /** Written on this side only; on the way back another pair carries what it says. */
  readonly derivedOn?: SideName;
  /** Its values go from one database to the other, and nowhere else. */
  readonly secret?: boolean;
  /** What values are compared by, where not by themselves: see `equalBy`. */
  readonly normal?: (value: SqlValue) => SqlValue;
}

/** Same name or not, same value. */
export function same(legacy: string, extracted: string): Codec {
  return {
    spec: { codec: 'same', legacy, extracted },
    legacy,
    extracted,
    forward: (value) => value,
    backward: (value) => value,
    keepsOrder: true,
  };
}

/** The same value under another name; says at the point of use that the names differ. */
export const rename = same;

type Code = string | number;

/**
 * A code of one side for a code of the other, one to one.
 * @param codes legacy code -> extracted code; legacy whole numbers are written as text keys and
 *   matched when `legacyNumbers` is set
 */
export function enumeration(
  legacy: string,
  extracted: string,
  codes: Readonly<Record<string, Code>>,
  { legacyNumbers = false }: { readonly legacyNumbers?: boolean } = {},
): Codec {
  const pairs = Object.entries(codes).map(([left, right]): [Code, Code] => [
    legacyNumbers ? Number(left) : left,
    right,
  ]);
  return {
    spec: { codec: 'enumeration', legacy, extracted, codes, legacyNumbers },
    legacy,
    extracted,
    forward: lookUp(legacy, new Map<SqlValue, Code>(pairs)),
    backward: lookUp(
      extracted,
      new Map<SqlValue, Code>(pairs.map(([left, right]) => [right, left])),
    ),
    keepsOrder: false,
  };
}

function lookUp(column: string, codes: ReadonlyMap<SqlValue, Code>): (value: SqlValue) => Code {
  return (value) => {
    const code = codes.get(value);
    if (code !== undefined) return code;
    throw new MappingError(`${column}: ${shown(value)} is none of ${[...codes.keys()].join(', ')}`);
  };
}

/**
 * Money as decimal text on the legacy side ('12.34'), whole minor units on the extracted one (1234).
 * Exact, without floating point. Text in another form ('12.3', '012.34') is refused, since it could
 * not be brought back as it was.
 */
export function decimalToMinor(legacy: string, extracted: string, digits: number): Codec {
  const fraction = digits === 0 ? '' : String.raw`\.(\d{${digits}})`;
  const form = new RegExp(`^(-?)(0|[1-9]\\d*)${fraction}$`);
  const example = digits === 0 ? '12' : `12.${'3'.repeat(digits)}`;
  return {
    spec: { codec: 'decimalToMinor', legacy, extracted, digits },
    legacy,
    extracted,
    forward(value) {
      const match = typeof value === 'string' ? form.exec(value) : null;
      const minor = match ? Number(`${match[1]}${match[2]}${match[3] ?? ''}`) : Number.NaN;
      // -0.00 would come back as 0.00.
      if (Number.isSafeInteger(minor) && !Object.is(minor, -0)) return minor;
      throw new MappingError(`${legacy}: ${shown(value)} is not a decimal such as '${example}'`);
    },
    backward(value) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
        throw new MappingError(
          `${extracted}: ${shown(value)} is not a whole number of minor units`,
        );
      }
      const figures = String(Math.abs(value)).padStart(digits + 1, '0');
      const sign = value < 0 ? '-' : '';
      if (digits === 0) return `${sign}${figures}`;
      return `${sign}${figures.slice(0, -digits)}.${figures.slice(-digits)}`;
    },
    keepsOrder: false,
  };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1).replace('T', ' ');
}

const TIMESTAMP = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}$/;

/** 'YYYY-MM-DD HH:MM:SS.mmm' in UTC on the legacy side, ms since 1970 on the extracted one. */
export function timestamp(legacy: string, extracted: string): Codec {
  return {
    spec: { codec: 'timestamp', legacy, extracted },
    legacy,
    extracted,
    forward(value) {
      if (typeof value === 'string' && TIMESTAMP.test(value)) {
        const ms = Date.parse(`${value.replace(' ', 'T')}Z`);
        // Date.parse takes the 30th of February for the 2nd of March.
        if (!Number.isNaN(ms) && timeText(ms) === value) return ms;
      }
      throw new MappingError(
        `${legacy}: ${shown(value)} is not a UTC time such as '2026-01-31 09:30:00.000'`,
      );
    },
    backward(value) {
      const year = typeof value === 'number' ? new Date(value).getUTCFullYear() : Number.NaN;
      if (typeof value === 'number' && Number.isInteger(value) && year >= 0 && year <= 9999) {
        return timeText(value);
      }
      throw new MappingError(`${extracted}: ${shown(value)} is not a time in ms since 1970`);
    },
    keepsOrder: false,
  };
}

/** Text whose extracted form carries a prefix; rows without it are none of the pair's. */
export function prefixed(legacy: string, extracted: string, prefix: string): Codec {
  return {
    spec: { codec: 'prefixed', legacy, extracted, prefix },
    legacy,
    extracted,
    forward(value) {
      if (typeof value === 'string') return `${prefix}${value}`;
      throw new MappingError(`${legacy}: ${shown(value)} is not text, so it can't carry a prefix`);
    },
    backward(value) {
      if (typeof value === 'string' && value.startsWith(prefix)) return value.slice(prefix.length);
      throw new MappingError(`${extracted}: ${shown(value)} does not start with '${prefix}'`);
    },
    keepsOrder: true,
    prefix,
  };
}

/** A column of one side that holds one value in every row of the pair; the other side has none. */
export function constant(side: SideName, column: string, value: string | number | null): Codec {
  return {
    spec: { codec: 'constant', side, column, value },
    legacy: side === 'legacy' ? column : null,
    extracted: side === 'extracted' ? column : null,
    forward: () => value,
    backward: () => value,
    keepsOrder: true,
    constant: value,
  };
}

/**
 * A column of `side` that repeats what the other side keeps once: it is written there, and on the
 * way back left alone.
 * @param why that loses nothing: which pair carries what it says
 */
export function derived(side: SideName, codec: Codec, why: string): Codec {
  return { ...codec, spec: { ...codec.spec, derivedOn: side, why }, derivedOn: side };
}

/**
 * A column whose values must not be seen: not in the feed, in Redis, in parked rows, in reports or
 * in logs. The applier reads them from the owner when it applies a change of their row.
 */
export function secret(codec: Codec): Codec {
  return {
    ...codec,
    spec: { ...codec.spec, secret: true },
    forward: quietly(codec.legacy, (value) => codec.forward(value)),
    backward: quietly(codec.extracted, (value) => codec.backward(value)),
    secret: true,
  };
}

type Way = (value: SqlValue) => SqlValue;

/** Whatever goes wrong may quote the value, so it is not passed on. */
function quietly(column: string | null, way: Way): Way {
  return (value) => {
    try {
      return way(value);
    } catch {
      throw new MappingError(`${column ?? ''}: ${HIDDEN} has no way to the other side`);
    }
  };
}

interface Transform {
  /** Names both functions in the mapping's hash: change it whenever one of them changes. */
  readonly name: string;
  readonly forward: (value: SqlValue) => SqlValue;
  /** Must undo `forward`; `fig check` tries it on every row. */
  readonly backward: (value: SqlValue) => SqlValue;
}

/** A way of one's own, where no other codec fits. Both functions throw for what they can't carry. */
export function transform(
  legacy: string,
  extracted: string,
  { name, forward, backward }: Transform,
): Codec {
  return {
    spec: { codec: 'transform', legacy, extracted, name },
    legacy,
    extracted,
    forward,
    backward,
    keepsOrder: false,
  };
}

/** What is shown in place of a secret. */
export const HIDDEN = '(secret)';

/** A value as an error message shows it. */
export function shown(value: SqlValue): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
  if (value instanceof BrokenText)
    return `${shown(Buffer.from(value).toString('latin1'))} (no UTF-8)`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex').slice(0, 60)}'`;
  if (value === null) return 'NULL';
  return Object.is(value, -0) ? '-0' : String(value);
}
