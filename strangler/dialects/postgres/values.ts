/** What kind of value a column holds, as far as its way into an image is concerned. */
export type Kind = 'integer' | 'real' | 'boolean' | 'bytes' | 'time' | 'text' | 'rawText';

/** A column as images carry it. */
export interface ImageColumn {
  readonly name: string;
  readonly kind: Kind;
}

const KINDS: Readonly<Record<string, Kind>> = {
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  oid: 'integer',
  float4: 'real',
  float8: 'real',
  bool: 'boolean',
  bytea: 'bytes',
  timestamp: 'time',
  timestamptz: 'time',
};

/**
 * @param type name of the type in pg_type; of a domain, that of the type below it
 * @param encoding the database's: one in SQL_ASCII takes any bytes for text
 */
export function kindOf(type: string, encoding: string): Kind {
  return KINDS[type] ?? (encoding === 'SQL_ASCII' ? 'rawText' : 'text');
}

/** The bytes of a text as hex digits, where they are UTF-8 (RFC 3629 4). */
const UTF8_HEX = ((): string => {
  const tail = '[89ab][0-9a-f]';
  const characters = [
    '[0-7][0-9a-f]',
    `(c[2-9a-f]|d[0-9a-f])${tail}`,
    `e0[ab][0-9a-f]${tail}`,
    `e([1-9a-c]|[ef])(${tail}){2}`,
    `ed[89][0-9a-f]${tail}`,
    `f0[9ab][0-9a-f](${tail}){2}`,
    `f[1-3](${tail}){3}`,
    `f48[0-9a-f](${tail}){2}`,
  ];
  return `^(${characters.join('|')})*$`;
})();

/** SQL that tells whether a text is UTF-8, in a database that does not know its characters. */
export function isUtf8Sql(x: string): string {
  return `encode(${bytesSql(x)}, 'hex') ~ '${UTF8_HEX}'`;
}

/** SQL for the bytes of a text, in a database that does not know its characters. */
export function bytesSql(x: string): string {
  return `convert_to(${x}::text, 'SQL_ASCII')`;
}

/**
 * SQL that writes a value as JSON text, exactly, in the form that SQLite's capture has: a change may
 * go from one to the other. Decimals are text, which keeps all their digits; booleans are 1 and 0;
 * times are 'YYYY-MM-DD HH:MM:SS.mmm' in UTC, with three more digits only where they are not zero.
 */
export function encodedSql(expression: string, kind: Kind): string {
  return `coalesce(${ENCODED[kind](expression)}, 'null')`;
}

const ENCODED: Readonly<Record<Kind, (x: string) => string>> = {
  integer: (x) =>
    `CASE WHEN ${x} BETWEEN -9007199254740991 AND 9007199254740991 THEN ${x}::text` +
    ` ELSE '{"$int":"' || ${x} || '"}' END`,
  real: (x) => `'{"$real":"' || replace(${x}::text, 'Infinity', 'Inf') || '"}'`,
  boolean: (x) => `CASE WHEN ${x} THEN '1' WHEN NOT ${x} THEN '0' END`,
  bytes: (x) => `'{"$blob":"' || upper(encode(${x}, 'hex')) || '"}'`,
  time: (x) => `to_json(${timeSql(x)})::text`,
  text: (x) => `to_json(${x}::text)::text`,
  rawText: (x) =>
    `CASE WHEN ${isUtf8Sql(x)} THEN to_json(${x}::text)::text` +
    ` ELSE '{"$text":"' || encode(${bytesSql(x)}, 'hex') || '"}' END`,
};

/**
 * The session's time zone must be UTC. What has no place in the form stays as PostgreSQL writes it, without the
 * zone, which only one of two types says: a time that goes from one to the other is still the same.
 */
export function timeSql(x: string): string {
  return (
    `CASE WHEN ${x} >= '0001-01-01' AND ${x} < '10000-01-01'` +
    ` THEN regexp_replace(to_char(${x}, 'YYYY-MM-DD HH24:MI:SS.US'), '000$', '')` +
    ` ELSE replace(${x}::text, '+00', '') END`
  );
}

/** SQL for a JSON object of columns of `row` (a table's alias). */
export function imageSql(row: string, columns: readonly ImageColumn[]): string {
  const members = columns.map(
    (column, index) =>
      `${text(`${index === 0 ? '{' : ','}${JSON.stringify(column.name)}:`)} || ` +
      encodedSql(`${row}.${name(column.name)}`, column.kind),
  );
  return `${members.join(' || ')} || '}'`;
}

/** In bytes (NAMEDATALEN): PostgreSQL cuts longer names off, silently. */
export const LONGEST_NAME = 63;

/** A name as SQL. */
export function name(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** Text as SQL. */
export function text(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** A statement with its values in it, as it can go to the server together with others. */
export function inlined(sql: string, values: readonly (string | number | null)[]): string {
  return sql.replaceAll(/\$(\d)/g, (_, place: string) => {
    const value = values[Number(place) - 1] ?? null;
    return typeof value === 'string' ? text(value) : String(value);
  });
}

/** ms since 1970 by the database's clock. */
export const NOW_SQL = `floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;
