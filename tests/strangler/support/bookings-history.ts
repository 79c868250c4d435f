import * as fc from 'fast-check';
import type { SideName } from '../../../routing/side.ts';
import { nightlyJob } from './bookings.ts';
import type { Event } from './history.ts';
import type { Prompt } from './sides.ts';

const id = fc.integer({ min: 1, max: 6 });
const orNull = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { nil: null });
const text = orNull(fc.string({ unit: 'binary', maxLength: 4 }));
/** Everything secret carries this mark, so that a leak can be searched for. */
export const SECRET = 'hush-hush';
const passport = orNull(fc.nat(99).map((number) => `${SECRET}-${number}`));
const token = orNull(fc.nat(99).map((number) => Buffer.from(`${SECRET}-${number}`)));
const minor = orNull(fc.integer({ min: -500, max: 50_000 }));
const seconds = orNull(fc.integer({ min: 0, max: 1_000_000 }));
const code = orNull(fc.constantFrom('X1', 'X2', 'X3'));
const vip = orNull(fc.boolean());
const status = orNull(fc.constantFrom(0, 1, 2, 9));
const NAMES: Readonly<Record<number, string>> = {
  0: 'requested',
  1: 'confirmed',
  2: 'sailed',
  9: 'cancelled',
};
const departs = orNull(fc.constantFrom('2026-05-01T10:00:00+02:00', '2026-05-01T08:00:00Z', ''));
const plan = orNull(fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)));
const verb = fc.constantFrom('INSERT', 'REPLACE', 'INSERT OR IGNORE');

function comma(amount: number | null): string | null {
  if (amount === null) return null;
  const figures = String(Math.abs(amount)).padStart(3, '0');
  return `${amount < 0 ? '-' : ''}${figures.slice(0, -2)},${figures.slice(-2)}`;
}

const yesNo = (yes: boolean | null): string | null => (yes === null ? null : yes ? 'Y' : 'N');

const legacy = fc.oneof(
  fc
    .tuple(verb, id, text, passport, orNull(id), vip, minor, text, text)
    .map(([how, key, name, no, by, isVip, credit, mail, phone]): Event => [
      [
        `${how} INTO tblCustomer VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        key,
        name,
        no,
        by,
        yesNo(isVip),
        comma(credit),
        mail,
        phone,
      ],
    ]),
  fc
    .tuple(passport, id)
    .map((row): Event => [['UPDATE tblCustomer SET Passport = ? WHERE CustomerID = ?', ...row]]),
  fc
    .tuple(id, id)
    .map((row): Event => [
      ['UPDATE OR IGNORE tblCustomer SET CustomerID = ? WHERE CustomerID = ?', ...row],
    ]),
  id.map((key): Event => [['DELETE FROM tblCustomer WHERE CustomerID = ?', key]]),
  fc
    .tuple(
      fc.constantFrom('INSERT', 'INSERT OR IGNORE'),
      orNull(id),
      code,
      orNull(id),
      status,
      minor,
    )
    .chain((first) => fc.tuple(fc.constant(first), seconds, token))
    .map(([[how, key, name, customer, state, total], at, card]): Event => [
      [
        `${how} INTO tblBooking VALUES (?, ?, ?, ?, ?, ?, ?, NULL)`,
        key,
        name,
        customer,
        state,
        comma(total),
        at,
        card,
      ],
    ]),
  fc
    .tuple(status, token, id)
    .map((row): Event => [
      ['UPDATE tblBooking SET Status = ?, CardToken = ? WHERE BookingID = ?', ...row],
    ]),
  fc
    .tuple(code, id)
    .map((row): Event => [
      ['UPDATE OR IGNORE tblBooking SET Code = ? WHERE BookingID = ?', ...row],
    ]),
  id.map((key): Event => [['DELETE FROM tblBooking WHERE BookingID = ?', key]]),
  fc
    .tuple(fc.constantFrom('Y', 'N'), text, id)
    .map((row): Event => [
      [
        'REPLACE INTO tblBookingExtra SELECT BookingID, ?, ? FROM tblBooking WHERE BookingID = ?',
        ...row,
      ],
    ]),
  id.map((key): Event => [['DELETE FROM tblBookingExtra WHERE BookingID = ?', key]]),
  fc
    .tuple(verb, id, fc.nat(2), text, text, departs, plan)
    .map(([how, ...row]): Event => [[`${how} INTO tblLeg VALUES (?, ?, ?, ?, ?, ?)`, ...row]]),
  fc.constant<Event>(
    nightlyJob
      .split(';')
      .filter((sql) => sql.trim() !== '')
      .map((sql) => [sql] as const),
  ),
);

const extracted = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('INSERT', 'INSERT OR IGNORE'),
      id,
      text,
      passport,
      orNull(id),
      vip,
      minor,
    )
    .map(([how, key, name, no, by, isVip, credit]): Event => [
      [
        `${how} INTO customers VALUES (?, ?, ?, ?, ?, ?)`,
        key,
        name,
        no,
        by,
        isVip === null ? null : Number(isVip),
        credit,
      ],
    ]),
  fc
    .tuple(passport, id)
    .map((row): Event => [['UPDATE customers SET passport_no = ? WHERE id = ?', ...row]]),
  fc
    .tuple(text, text, id)
    .map((row): Event => [
      ['REPLACE INTO contacts SELECT id, ?, ? FROM customers WHERE id = ?', ...row],
    ]),
  id.map((key): Event => [
    ['DELETE FROM contacts WHERE customer_id = ?', key],
    ['DELETE FROM customers WHERE id = ?', key],
  ]),
  fc
    .tuple(orNull(id), fc.constantFrom('Y1', 'Y2', 'Y3', 'Y4'), orNull(id), status, minor, seconds)
    .chain((first) => fc.tuple(fc.constant(first), token, vip, text))
    .map(([[key, name, customer, state, total, at], card, insured, remark]): Event => [
      [
        'INSERT OR IGNORE INTO bookings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        key,
        name,
        customer,
        state === null ? null : NAMES[state],
        total,
        at === null ? null : at * 1000,
        card,
        ...(insured === null ? [null, null] : [Number(insured), remark]),
      ],
    ]),
  fc
    .tuple(status, token, id)
    .map(([state, ...row]): Event => [
      [
        'UPDATE bookings SET status = ?, card_token = ? WHERE id = ?',
        state === null ? null : NAMES[state],
        ...row,
      ],
    ]),
  id.map((key): Event => [
    ['UPDATE bookings SET is_insured = NULL, remark = NULL WHERE id = ?', key],
  ]),
  id.map((key): Event => [
    ['DELETE FROM legs WHERE booking_id = ?', key],
    ['DELETE FROM bookings WHERE id = ?', key],
  ]),
  fc
    .tuple(verb, id, fc.nat(2), text, text, departs, plan)
    .map(([how, ...row]): Event => [[`${how} INTO legs VALUES (?, ?, ?, ?, ?, ?)`, ...row]]),
);

/** Things that happen at an owner, valid for its schema or refused by it. */
export const bookingEvents: Readonly<Record<SideName, fc.Arbitrary<Event>>> = { legacy, extracted };

const minorOf = (column: string): string => `CAST(replace(${column}, ',', '') AS INTEGER)`;

const EXPECTED = {
  customers: `SELECT CustomerID, FullName, Passport, ReferredBy, iif(VIP IS NULL, NULL, VIP = 'Y'),
    ${minorOf('Credit')} FROM tblCustomer`,
  // A contact that says nothing and one that is not there are the same to the monolith.
  contacts: `SELECT CustomerID, Email, Phone FROM tblCustomer
    WHERE Email IS NOT NULL OR Phone IS NOT NULL`,
  bookings: `SELECT BookingID, Code, CustomerID,
    CASE Status WHEN 0 THEN 'requested' WHEN 1 THEN 'confirmed' WHEN 2 THEN 'sailed'
      WHEN 9 THEN 'cancelled' END, ${minorOf('Total')}, BookedAt * 1000, CardToken,
    iif(Insured IS NULL, NULL, Insured = 'Y'), Remark
    FROM tblBooking LEFT JOIN tblBookingExtra USING (BookingID)`,
  legs: 'SELECT * FROM tblLeg',
};

const FOUND = {
  customers: 'SELECT * FROM customers',
  contacts: 'SELECT * FROM contacts WHERE email IS NOT NULL OR phone IS NOT NULL',
  bookings: 'SELECT * FROM bookings',
  legs: 'SELECT * FROM legs',
};

function readAll(prompt: Prompt, queries: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(queries).map(([table, sql]) => [
      table,
      prompt.prepare(`SELECT * FROM (${sql}) ORDER BY 1, 2`).raw().safeIntegers().all(),
    ]),
  );
}

/** What the service's tables must hold for what the monolith's do; written without the mapping. */
export function expectedBookings(legacySide: Prompt): object {
  return readAll(legacySide, EXPECTED);
}

export function bookingsOf(extractedSide: Prompt): object {
  return readAll(extractedSide, FOUND);
}
