import type { Statement } from 'better-sqlite3';
import { openSqliteFile } from '../../../chassis/index.ts';
import { isWhole, realOf, WholeReal, worthOf } from '../../mapping/index.ts';
import type { SqlValue } from '../../mapping/index.ts';
import { bound, plain } from './values.ts';

export type Affinity = 'integer' | 'text' | 'blob' | 'real' | 'numeric';

/** What a declared type makes of values: https://sqlite.org/datatype3.html#determination_of_column_affinity */
export function affinityOf(type: string): Affinity {
  if (/INT/i.test(type)) return 'integer';
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'text';
  if (type === '' || /BLOB/i.test(type)) return 'blob';
  return /REAL|FLOA|DOUB/i.test(type) ? 'real' : 'numeric';
}

/**
 * Whether a column leaves numbers as they are, integers and reals, so that somebody may tell 3.0 from 3 there.
 * @param strict whether its table is
 */
export function isFree(type: string, strict: boolean): boolean {
  return strict ? /^ANY$/i.test(type) : affinityOf(type) === 'blob';
}

const BEYOND = [2n ** 53n + 1n, -(2n ** 63n)];
const WHOLE: readonly SqlValue[] = [...BEYOND, 0, 7];
const REAL: readonly SqlValue[] = [0.1 + 0.2, 0.5, 1e300];
const TEXT: readonly SqlValue[] = [
  '12.30',
  '007',
  ' 5',
  'x ',
  '1e3',
  '9007199254740993',
  'é\u{1F600}',
  '',
];

const BYTES: readonly SqlValue[] = [Buffer.from('00ff', 'hex')];

/**
 * Values such as a column of the type is there for. One that is called BLOB would take anything, as one
 * without a type does, but says what it is meant for; what its rows hold is seen in them.
 */
export function probesOf(type: string, strict: boolean): readonly SqlValue[] {
  const free = isFree(type, strict);
  const affinity = free ? 'blob' : affinityOf(type);
  if (affinity === 'blob' && /BLOB/i.test(type)) return BYTES;
  if (affinity === 'integer') return WHOLE;
  if (affinity === 'text') return TEXT;
  if (affinity === 'real') return REAL;
  if (affinity === 'numeric') return [...WHOLE, ...REAL];
  return [...WHOLE, ...REAL, realOf(7, free), ...TEXT, ...BYTES];
}

/** Says what a column of a type holds after it was given a value, by asking SQLite itself. */
export class ColumnTypes {
  readonly #db = openSqliteFile(':memory:');
  readonly #statements = new Map<string, Statement>();

  /** @throws when the column does not take the value */
  stored(type: string, strict: boolean, value: SqlValue): SqlValue {
    const free = isFree(type, strict);
    const real = realIn(type, free, value);
    if (real !== undefined) return real;
    if (isLeftAlone(affinityOf(type), value) && !strict) return value;
    const statement = this.#statement(type, strict).raw().safeIntegers();
    const [stored] = asked(() => statement.get(bound(value))) as [unknown];
    return plain(stored, free);
  }

  close(): void {
    this.#db.close();
  }

  #statement(type: string, strict: boolean): Statement {
    const known = this.#statements.get(`${type} ${strict}`);
    if (known) return known;
    const table = `t${this.#statements.size}`;
    this.#db.exec(
      `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, v ${type}) ${strict ? 'STRICT' : ''}`,
    );
    const statement = this.#db.prepare(`REPLACE INTO ${table} VALUES (1, ?) RETURNING v`);
    this.#statements.set(`${type} ${strict}`, statement);
    return statement;
  }
}

/** Without the name of a table that is none of the reader's business. */
function asked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw new Error((error as Error).message.replace(/ t\d+\.v$/, ''), { cause: error });
  }
}

/** Whether no conversion can happen: nearly always, and much faster than asking. */
function isLeftAlone(affinity: Affinity, value: SqlValue): boolean {
  if (!isWhole(value) || Object.is(value, -0)) return false;
  if (value === null || affinity === 'blob' || value instanceof Uint8Array) return true;
  if (typeof value === 'string') return affinity === 'text';
  if (affinity === 'text') return false;
  if (affinity === 'real' || value instanceof WholeReal) return false;
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** A number as a real one, in a column in which it is; undefined where SQLite has to be asked. */
function realIn(type: string, free: boolean, value: SqlValue): SqlValue | undefined {
  if (Object.is(value, -0) || Number.isNaN(value)) return undefined;
  const number = worthOf(value);
  if (typeof number !== 'number') return undefined;
  if (free) return value instanceof WholeReal ? realOf(number, true) : undefined;
  return affinityOf(type) === 'real' ? realOf(number, false) : undefined;
}
