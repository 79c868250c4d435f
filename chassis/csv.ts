import { readFile } from 'node:fs/promises';
import { CsvError as ParseError, parse } from 'csv-parse/sync';

/** A CSV file that can't be used; the message names file, line and column. */
export class CsvError extends Error {
  override readonly name = 'CsvError';

  constructor(file: string, line: number, column: string | null, reason: string) {
    super(`${file}:${line}${column === null ? '' : `: column ${column}`}: ${reason}`);
  }
}

/** Turns a cell's text into a value; throws an Error that says what is wrong with the text. */
export type CellReader<T> = (text: string) => T;

/** A row, and the line on which it ends, for errors that only show when rows are seen together. */
export interface CsvRow<T> {
  readonly line: number;
  readonly values: T;
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads a UTF-8, RFC 4180 file whose first line names its columns, in any order. Every row is
 * checked before the first one is returned.
 * @param columns a reader for each column that must be there; others are refused
 * @throws CsvError at the first damage, naming file, line and column
 */
export async function readCsv<T extends Record<string, unknown>>(
  file: string,
  columns: { readonly [Column in keyof T]: CellReader<T[Column]> },
): Promise<CsvRow<T>[]> {
  const [header, ...rows] = records(file, await readText(file));
  const names = header?.record ?? [];
  checkHeader(file, names, Object.keys(columns));
  return rows.map(({ record, info: { lines } }) => {
    if (record.length !== names.length) {
      throw new CsvError(file, lines, null, `has ${record.length} cells, not ${names.length}`);
    }
    const cells = names.map((column, index) => {
      try {
        return [column, columns[column]?.(record[index] ?? '')];
      } catch (error) {
        throw new CsvError(file, lines, column, (error as Error).message);
      }
    });
    return { line: lines, values: Object.fromEntries(cells) as T };
  });
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CsvError(file, 1, null, code === 'ENOENT' ? 'there is no such file' : String(code));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CsvError(file, damagedLine(bytes), null, 'is not UTF-8');
  }
}

function damagedLine(bytes: Buffer): number {
  const lines = bytes.toString('latin1').split('\n');
  const damaged = lines.findIndex((line) =>
    Buffer.from(line, 'latin1').toString().includes('\uFFFD'),
  );
  return damaged + 1;
}

function records(file: string, text: string): Parsed[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[];
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { lines, message } = error as ParseError & { lines?: number };
    throw new CsvError(file, lines ?? 1, null, message);
  }
}

function checkHeader(file: string, given: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((column) => !given.includes(column));
  const unknown = given.filter((column) => !wanted.includes(column));
  const twice = given.find((column, index) => given.indexOf(column) !== index);
  const first = missing[0] ?? unknown[0] ?? twice;
  if (first === undefined) return;
  const what =
    missing.length > 0 ? 'is missing' : unknown.length > 0 ? 'is not known' : 'is there twice';
  throw new CsvError(file, 1, first, `${what}; the header must be ${wanted.join(',')}`);
}

/** An RFC 4180 table; a cell is quoted where a comma, a quote or a line break needs it. */
export function csvText(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  return [header, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Readers for the cells that most files have. */
export const cell = {
  text(text: string): string {
    if (text.trim() === '') throw new Error('is empty; give a value');
    return text;
  },
  /** A whole number of at least `least`. */
  whole(least: number): CellReader<number> {
    return (text) => {
      const number = Number(text);
      if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
      throw new Error(`${JSON.stringify(text)} is not a whole number of ${least} or more`);
    };
  },
  /** Decimal major units with two digits, as minor units: `18.00` is 1800. */
  money(text: string): number {
    const match = /^(\d+)\.(\d{2})$/.exec(text);
    const minor = match ? Number(`${match[1]}${match[2]}`) : Number.NaN;
    if (Number.isSafeInteger(minor)) return minor;
    throw new Error(`${JSON.stringify(text)} is not an amount such as 18.00`);
  },
  /** An ISO 8601 moment in UTC, such as `1996-07-04T00:00:00Z`. */
  moment(text: string): string {
    if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
    throw new Error(`${JSON.stringify(text)} is not a UTC time such as 1996-07-04T00:00:00Z`);
  },
} as const;
