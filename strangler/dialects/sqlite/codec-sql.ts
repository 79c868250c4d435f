import type { SideName } from '../../../routing/side.ts';
import type { Codec } from '../../mapping/index.ts';
import { literal } from './filter-sql.ts';

/** A codec in SQL, over expressions of both sides' columns. */
export interface CodecSql {
  /**
   * True only where the codec makes the one of the other; may be false of values that only the
   * codec itself can judge, since those are looked at row by row.
   */
  same(legacy: string, extracted: string): string;
  /** What the codec writes; whether that is right is for `same` to say. */
  forward(legacy: string): string;
  backward(extracted: string): string;
  /** Whether `forward` writes what the codec would; absent where it always does. */
  valid?(legacy: string): string;
}

/** No affinity and no collation of a column may take part: '1' is not 1, and 'a' is not 'A'. */
function exactly(left: string, right: string): string {
  return `+${left} IS +${right} COLLATE BINARY AND typeof(${left}) = typeof(${right})`;
}

function choice(value: string, codes: readonly (readonly [unknown, unknown])[]): string {
  const cases = codes.map(([from, to]) => `WHEN ${shownSql(from)} THEN ${shownSql(to)}`);
  const chosen = `CASE +${value} COLLATE BINARY ${cases.join(' ')} END`;
  // 1.0 is no code, unless its column makes every 1 of it: that is for whoever goes row by row to say.
  const numbers = codes.some(([from]) => typeof from === 'number');
  return numbers ? `CASE WHEN typeof(${value}) <> 'real' THEN ${chosen} END` : chosen;
}

function shownSql(code: unknown): string {
  return literal(code as string | number | null);
}

const SAFE = '9007199254740991';

function minorSql(digits: number): CodecSql {
  const unit = `1${'0'.repeat(digits)}`;
  const textOf = (minor: string): string => {
    const whole = `(abs(${minor}) / ${unit})`;
    const rest = digits === 0 ? '' : ` || '.' || substr(${unit} + abs(${minor}) % ${unit}, 2)`;
    return (
      `CASE WHEN typeof(${minor}) = 'integer' AND ${minor} BETWEEN -${SAFE} AND ${SAFE}` +
      ` THEN CASE WHEN ${minor} < 0 THEN '-' ELSE '' END || ${whole}${rest} END`
    );
  };
  return {
    same: (legacy, extracted) => nullOr(legacy, extracted, `+${legacy} = ${textOf(extracted)}`),
    forward: (legacy) => `CAST(replace(${legacy}, '.', '') AS INTEGER)`,
    backward: textOf,
    // Fifteen figures fit into a real number, and printing one knows a single form.
    valid: (legacy) =>
      `typeof(${legacy}) = 'text' AND length(${legacy}) < 16 AND ` +
      `+${legacy} = printf('%.${digits}f', replace(${legacy}, '.', '') / ${unit}.0)`,
  };
}

const FIRST_MS = '-62167219200000';
const LAST_MS = '253402300799999';

function timeText(ms: string): string {
  return (
    `CASE WHEN typeof(${ms}) = 'integer' AND ${ms} BETWEEN ${FIRST_MS} AND ${LAST_MS}` +
    ` THEN datetime(${ms} / 1000.0, 'unixepoch', 'subsec') END`
  );
}

function timeSql(): CodecSql {
  return {
    same: (legacy, extracted) => nullOr(legacy, extracted, `+${legacy} = ${timeText(extracted)}`),
    forward: (legacy) => `unixepoch(${legacy}) * 1000 + CAST(substr(${legacy}, 21) AS INTEGER)`,
    backward: timeText,
    // The 30th of February would come back as the 2nd of March.
    valid: (legacy) =>
      `length(${legacy}) = 23 AND +${legacy} = datetime(${legacy}, '+0 days', 'subsec')`,
  };
}

function nullOr(legacy: string, extracted: string, equal: string): string {
  return (
    `CASE WHEN ${legacy} IS NULL OR ${extracted} IS NULL` +
    ` THEN ${legacy} IS NULL AND ${extracted} IS NULL ELSE coalesce(${equal}, 0) END`
  );
}

/** Passes NULL on, as the codecs do. */
function unlessNull(value: string, sql: string): string {
  return `CASE WHEN ${value} IS NOT NULL THEN ${sql} END`;
}

/** A codec as SQL; undefined when it is none of those that SQL can say. */
export function codecSql(codec: Codec): CodecSql | undefined {
  const { spec } = codec;
  switch (spec['codec']) {
    case 'same':
      return { same: exactly, forward: (value) => value, backward: (value) => value };
    case 'enumeration': {
      const { codes, legacyNumbers } = spec as {
        codes: Readonly<Record<string, string | number>>;
        legacyNumbers: boolean;
      };
      const pairs = Object.entries(codes).map(
        ([left, right]) => [legacyNumbers ? Number(left) : left, right] as const,
      );
      const forward = (value: string): string => choice(value, pairs);
      return {
        same: (legacy, extracted) =>
          nullOr(
            legacy,
            extracted,
            `typeof(${extracted}) <> 'real' AND (${forward(legacy)}) IS +${extracted} COLLATE BINARY`,
          ),
        forward,
        backward: (value) =>
          choice(
            value,
            pairs.map(([left, right]) => [right, left]),
          ),
      };
    }
    case 'decimalToMinor':
      return minorSql(spec['digits'] as number);
    case 'timestamp':
      return timeSql();
    case 'prefixed': {
      const prefix = literal(spec['prefix'] as string);
      return {
        same: (legacy, extracted) =>
          `typeof(${legacy}) = 'text' AND ${prefix} || ${legacy} IS +${extracted} COLLATE BINARY`,
        forward: (value) => `${prefix} || ${value}`,
        valid: (value) => `typeof(${value}) = 'text'`,
        backward: (value) =>
          `CASE WHEN typeof(${value}) = 'text' AND substr(${value}, 1, length(${prefix})) = ${prefix}` +
          ` COLLATE BINARY THEN substr(${value}, length(${prefix}) + 1) END`,
      };
    }
    default:
      return undefined;
  }
}

/** What a codec writes for a row of `from`. */
export function writtenSql(sql: CodecSql, from: SideName, value: string): string {
  return unlessNull(value, from === 'legacy' ? sql.forward(value) : sql.backward(value));
}

/** Conditions under which what a codec writes is right. */
export function validSql(codec: Codec, sql: CodecSql, from: SideName, value: string): string[] {
  if (codec.spec['codec'] === 'same') return [];
  if (from === 'legacy' && sql.valid) return [`(${value} IS NULL OR (${sql.valid(value)}))`];
  // The others look their value up, or print it: what they can't carry, they make NULL.
  return [`(${value} IS NULL OR (${writtenSql(sql, from, value)}) IS NOT NULL)`];
}
