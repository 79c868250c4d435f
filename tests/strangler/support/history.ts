import * as fc from 'fast-check';
import type { SideName } from '../../../routing/side.ts';
import type { Prompt } from './sides.ts';

/** One thing that happens at the owner: SQL with parameters, as one transaction. */
export type Event = readonly (readonly [sql: string, ...parameters: unknown[]])[];

const id = fc.constantFrom('a', 'b', 'c', '\u{FFFD}é', '\u{1F600}"', "q'%_", '');
const note = fc.oneof(
  fc.constant(null),
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const amount = fc.integer({ min: -500, max: 50_000 });
const moment = fc.integer({ min: 0, max: 4_000_000_000_000 });
const slug = fc.option(fc.constantFrom('s1', 's2', 's3'), { nil: null });
const bytes = fc.uint8Array({ maxLength: 4 }).map((array) => Buffer.from(array));
const data = fc.oneof(
  fc.constant(null),
  fc.string({ maxLength: 4 }),
  fc.integer().map((value) => BigInt(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  // A whole number in a column without affinity loses whether it was a real one: SQLite says 5 = 5.0.
  fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value)),
  bytes,
);

/** Values of two columns, on which dialects do not agree. */
interface Values {
  readonly note: fc.Arbitrary<string | null>;
  readonly data: fc.Arbitrary<unknown>;
}
const verb = fc.constantFrom('INSERT', 'REPLACE', 'INSERT OR IGNORE');
const updateVerb = fc.constantFrom('UPDATE', 'UPDATE OR REPLACE', 'UPDATE OR IGNORE');

function money(minor: number): string {
  const figures = String(Math.abs(minor)).padStart(3, '0');
  return `${minor < 0 ? '-' : ''}${figures.slice(0, -2)}.${figures.slice(-2)}`;
}

function time(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', '');
}

const lines = (
  { data: value }: Values,
  table: string,
  [doc, no, slugOf, dataOf]: readonly string[],
): fc.Arbitrary<Event>[] => [
  fc
    .tuple(verb, id, fc.integer({ min: 0, max: 2 }), slug, value)
    .map(([how, ...row]): Event => [[`${how} INTO ${table} VALUES (?, ?, ?, ?)`, ...row]]),
  fc
    .tuple(updateVerb, slug, id)
    .map(([how, to, key]): Event => [
      [`${how} ${table} SET ${slugOf} = ? WHERE ${doc} = ?`, to, key],
    ]),
  fc
    .tuple(updateVerb, id, id)
    .map(([how, to, key]): Event => [[`${how} ${table} SET ${doc} = ? WHERE ${doc} = ?`, to, key]]),
  fc
    .tuple(value, id)
    .map(([given, key]): Event => [
      [
        `INSERT INTO ${table} VALUES (?, 1, 's1', ?) ON CONFLICT DO UPDATE SET ${dataOf} = excluded.${dataOf}`,
        key,
        given,
      ],
    ]),
  id.map((key): Event => [[`DELETE FROM ${table} WHERE ${doc} = ? AND ${no} < 2`, key]]),
];

const legacyEvents = (values: Values): fc.Arbitrary<Event> =>
  fc.oneof(
    ...lines(values, 'LINES', ['DOC', 'NO', 'SLUG', 'DATA']),
    fc
      .tuple(verb, id, fc.nat(9), fc.nat(12), values.note)
      .map(([how, ...row]): Event => [[`${how} INTO STOCK VALUES (?, ?, ?, ?)`, ...row]]),
    fc
      .tuple(fc.nat(9), fc.nat(9), id)
      .map((row): Event => [['UPDATE STOCK SET QTY = ?, RSV = ? WHERE SKU = ?', ...row]]),
    fc
      .tuple(updateVerb, id, id)
      .map(([how, ...keys]): Event => [[`${how} STOCK SET SKU = ? WHERE SKU = ?`, ...keys]]),
    id.map((key): Event => [['DELETE FROM STOCK WHERE SKU = ?', key]]),
    fc.constant<Event>([['DELETE FROM STOCK WHERE length(SKU) < 3']]),
    fc
      .tuple(verb, id, amount, fc.constantFrom('P', 'S', 'D'), moment, moment)
      .map(([how, key, minor, state, created, updated]): Event => [
        [
          `${how} INTO PAY VALUES (?, ?, ?, ?, ?)`,
          key,
          money(minor),
          state,
          time(created),
          time(state === 'P' ? created : updated),
        ],
      ]),
    fc
      .tuple(fc.constantFrom('S', 'D'), moment, id)
      .map(([state, at, key]): Event => [
        ['UPDATE PAY SET STAT = ?, UPD = ? WHERE PAY_NO = ?', state, time(at), key],
      ]),
    id.map((key): Event => [[`UPDATE PAY SET STAT = 'P', UPD = CRT WHERE PAY_NO = ?`, key]]),
    fc
      .tuple(updateVerb, id, id)
      .map(([how, ...keys]): Event => [[`${how} PAY SET PAY_NO = ? WHERE PAY_NO = ?`, ...keys]]),
    id.map((key): Event => [['DELETE FROM PAY WHERE PAY_NO = ?', key]]),
    fc
      .tuple(verb, id, id, amount, fc.boolean(), moment, moment)
      .map(([how, key, pay, minor, settled, created, updated]): Event => [
        [
          `${how} INTO RFND VALUES (?, ?, ?, ?, ?, ?)`,
          key,
          pay,
          money(minor),
          settled ? 'S' : 'P',
          time(created),
          time(settled ? updated : created),
        ],
      ]),
    fc
      .tuple(id, id)
      .map((keys): Event => [['UPDATE RFND SET PAY_NO = ? WHERE RFND_NO = ?', ...keys]]),
    fc
      .tuple(moment, id)
      .map(([at, key]): Event => [
        [`UPDATE RFND SET STAT = 'S', UPD = ? WHERE RFND_NO = ?`, time(at), key],
      ]),
    fc
      .tuple(id, id)
      .map((keys): Event => [
        ['UPDATE OR REPLACE RFND SET RFND_NO = ? WHERE RFND_NO = ?', ...keys],
      ]),
    id.map((key): Event => [['DELETE FROM RFND WHERE RFND_NO = ?', key]]),
  );

const settlement = `INSERT OR REPLACE INTO entries SELECT ?, 'settlement', ?, amount, ? FROM payments WHERE id = ?`;
const kind = fc.constantFrom('captured', 'declined');

/** What the service itself keeps true: parts of one legacy row come and go in one transaction. */
const extractedEvents = (values: Values): fc.Arbitrary<Event> =>
  fc.oneof(
    ...lines(values, 'lines', ['doc', 'no', 'slug', 'data']),
    fc
      .tuple(id, fc.nat(9), fc.nat(9), values.note, fc.boolean())
      .map(([key, level, hold, text, first]): Event => {
        const both: Event = [
          ['REPLACE INTO levels VALUES (?, ?, ?)', key, level, text],
          ['REPLACE INTO holds VALUES (?, ?)', key, hold],
        ];
        return first ? both : both.toReversed();
      }),
    fc
      .tuple(fc.nat(9), id)
      .map((row): Event => [['UPDATE levels SET on_hand = ? WHERE sku = ?', ...row]]),
    fc
      .tuple(fc.nat(9), id)
      .map((row): Event => [['UPDATE holds SET reserved = ? WHERE sku = ?', ...row]]),
    // Only the base pair is written anew: its column pair's columns must live on.
    id.map((key): Event => [['REPLACE INTO levels SELECT * FROM levels WHERE sku = ?', key]]),
    id.map((key): Event => [
      ['DELETE FROM holds WHERE sku = ?', key],
      ['DELETE FROM levels WHERE sku = ?', key],
    ]),
    fc.constant<Event>([
      ['DELETE FROM levels WHERE length(sku) < 3'],
      ['DELETE FROM holds WHERE length(sku) < 3'],
    ]),
    fc.tuple(verb, id, amount, moment).map(([how, key, minor, at]): Event => [
      [`${how} INTO payments VALUES (?, ?, ?)`, key, minor, at],
      [
        'UPDATE entries SET amount = (SELECT amount FROM payments WHERE id = ?) ' +
          `WHERE payment_id = ? AND entry_id = 'settlement'`,
        key,
        key,
      ],
    ]),
    fc.tuple(id, amount, moment, kind, moment).map(([key, minor, at, how, settled]): Event => [
      [`REPLACE INTO entries VALUES (?, 'settlement', ?, ?, ?)`, key, how, minor, settled],
      ['REPLACE INTO payments VALUES (?, ?, ?)', key, minor, at],
    ]),
    fc.tuple(kind, moment, id).map(([how, at, key]): Event => [[settlement, key, how, at, key]]),
    id.map((key): Event => [
      [`DELETE FROM entries WHERE payment_id = ? AND entry_id = 'settlement'`, key],
    ]),
    id.map((key): Event => [
      ['DELETE FROM payments WHERE id = ?', key],
      [`DELETE FROM entries WHERE payment_id = ? AND entry_id = 'settlement'`, key],
    ]),
    fc
      .tuple(id, id, amount, moment, fc.option(moment))
      .map(([refund, pay, minor, at, settled]): Event => {
        const gone: Event = [
          [
            'DELETE FROM entries WHERE entry_id IN (?, ?)',
            `refund:${refund}`,
            `refunded:${refund}`,
          ],
        ];
        const asked: Event = [
          [
            'INSERT INTO entries VALUES (?, ?, ?, ?, ?)',
            pay,
            `refund:${refund}`,
            'refund_requested',
            minor,
            at,
          ],
        ];
        if (settled === null) return [...gone, ...asked];
        const done: Event = [
          [
            'INSERT INTO entries VALUES (?, ?, ?, ?, ?)',
            pay,
            `refunded:${refund}`,
            'refunded',
            minor,
            settled,
          ],
        ];
        return settled % 2 === 0 ? [...gone, ...asked, ...done] : [...gone, ...done, ...asked];
      }),
    id.map((key): Event => [['DELETE FROM entries WHERE entry_id = ?', `refunded:${key}`]]),
    id.map((key): Event => [
      ['DELETE FROM entries WHERE entry_id IN (?, ?)', `refund:${key}`, `refunded:${key}`],
    ]),
  );

type Events = Readonly<Record<SideName, fc.Arbitrary<Event>>>;

function eventsWith(values: Values): Events {
  return { legacy: legacyEvents(values), extracted: extractedEvents(values) };
}

/** Things that happen at an owner, valid for its schema or refused by it. */
export const events = eventsWith({ note, data });

/** The same with values that any database holds: no NUL in text, one type for each column. */
export const portableEvents = eventsWith({
  note: note.map((text) => text?.replaceAll('\0', '') ?? null),
  data: fc.option(bytes, { nil: null }),
});

/** Carries out an event; one that the schema refuses has no effect. @returns whether it happened */
export function happen(prompt: Prompt, event: Event): boolean {
  const transaction = prompt.transaction(() => {
    for (const [sql, ...parameters] of event) prompt.prepare(sql).run(...parameters);
  });
  try {
    transaction.immediate();
    return true;
  } catch (error) {
    if (!/constraint failed/.test(String(error))) throw error;
    return false;
  }
}

function ms(column: string): string {
  return `CAST(round((julianday(${column}) - 2440587.5) * 86400000.0) AS INTEGER)`;
}

/** What the extracted tables must hold for what the legacy ones do; written without the mapping. */
export function expectedOfLegacy(legacySide: Prompt): Readonly<Record<string, unknown[]>> {
  const minor = `CAST(replace(AMT, '.', '') AS INTEGER)`;
  return readAll(legacySide, {
    levels: 'SELECT SKU, QTY, NOTE FROM STOCK',
    holds: 'SELECT SKU, RSV FROM STOCK',
    lines: 'SELECT * FROM LINES',
    payments: `SELECT PAY_NO, ${minor}, ${ms('CRT')} FROM PAY`,
    entries: `SELECT PAY_NO, 'settlement', iif(STAT = 'S', 'captured', 'declined'), ${minor},
        ${ms('UPD')} FROM PAY WHERE STAT <> 'P'
      UNION ALL SELECT PAY_NO, 'refund:' || RFND_NO, 'refund_requested', ${minor}, ${ms('CRT')} FROM RFND
      UNION ALL SELECT PAY_NO, 'refunded:' || RFND_NO, 'refunded', ${minor}, ${ms('UPD')} FROM RFND
        WHERE STAT = 'S'`,
  });
}

export function contentOfExtracted(extractedSide: Prompt): Readonly<Record<string, unknown[]>> {
  return readAll(extractedSide, {
    levels: 'SELECT * FROM levels',
    holds: 'SELECT * FROM holds',
    lines: 'SELECT * FROM lines',
    payments: 'SELECT * FROM payments',
    entries: 'SELECT * FROM entries',
  });
}

function readAll(
  prompt: Prompt,
  queries: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown[]>> {
  return Object.fromEntries(
    Object.entries(queries).map(([table, sql]) => [
      table,
      prompt.prepare(`SELECT * FROM (${sql}) ORDER BY 1, 2`).raw().safeIntegers().all(),
    ]),
  );
}
