import { canonicalJson } from '../../chassis/index.ts';
import type { Codec } from './codec.ts';
import type { SqlValue } from './sql-value.ts';
import { worthOf } from './sql-value.ts';

interface Equality {
  /** Names it in the mapping's hash. */
  readonly name: string;
  /** What two values that mean the same have in common. Gets whatever a column holds but NULL. */
  readonly normal: (value: SqlValue) => SqlValue;
  /** Whether it is also the normal form that is carried. */
  readonly carried?: boolean;
}

/**
 * Declares that values may change on their way as long as they mean the same, which is what they are
 * compared by. Without it, whatever does not arrive as it
 * was is a difference.
 */
export function equalBy(codec: Codec, { name, normal, carried = false }: Equality): Codec {
  const spec = { ...codec.spec, equalBy: name };
  if (!carried) return { ...codec, spec, normal };
  return {
    ...codec,
    spec,
    normal,
    forward: (value) => normal(codec.forward(value)),
    backward: (value) => normal(codec.backward(value)),
  };
}

/** For `equalBy`: -0 is 0, as it is for a database that keeps no sign of it. */
export const unsignedZero: Equality = {
  name: 'unsigned zero',
  normal: (value) => (value === 0 ? 0 : value),
  carried: true,
};

/** For `equalBy`: 3.0 is 3, also in a column of SQLite that takes the one as well as the other. */
export const numericWorth: Equality = { name: 'numeric worth', normal: worthOf };

/**
 * For `equalBy`: JSON by what it says, whatever its spaces and the order of its members; of members
 * with the same name the last one counts, as it does for `jsonb`. Text that is no JSON is only itself.
 */
export const jsonDocument: Equality = {
  name: 'json document',
  normal(value) {
    if (typeof value !== 'string') return value;
    try {
      return canonicalJson(JSON.parse(tagged(value)));
    } catch {
      return value;
    }
  },
};

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Numbers as texts, since parsing would round them; strings are marked, to be told from these. */
function tagged(json: string): string {
  return json.replaceAll(TOKENS, (token) =>
    token.startsWith('"') ? `"s${token.slice(1)}` : `"n${plainNumber(token)}"`,
  );
}

/** Without an exponent, as PostgreSQL writes it. */
function plainNumber(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', left = '', right = '', exponent = '0'] = parts;
  const point = left.length + Number(exponent);
  const digits = `${left}${right}`.padEnd(point, '0');
  const padded = point > 0 ? digits : `${'0'.repeat(1 - point)}${digits}`;
  const at = Math.max(point, 1);
  const whole = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const fraction = padded.slice(at);
  const plain = fraction === '' ? whole : `${whole}.${fraction}`;
  return /[1-9]/.test(plain) ? `${sign}${plain}` : plain;
}
