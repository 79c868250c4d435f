import {
  decimalToMinor,
  defineMapping,
  enumeration,
  MappingError,
  rename,
  same,
  secret,
  transform,
} from '../../../strangler/mapping/index.ts';
import type { Codec } from '../../../strangler/mapping/index.ts';

/**
 * A second legacy schema, of an application with other habits: serial keys, composite keys, rows that
 * refer to rows of their own table, NULLs everywhere, decimals with a comma, seconds, triggers.
 */
export const bookingsSchema = {
  legacy: `
    CREATE TABLE tblCustomer (
      CustomerID INTEGER PRIMARY KEY AUTOINCREMENT, FullName TEXT, Passport TEXT,
      ReferredBy INTEGER REFERENCES tblCustomer (CustomerID), VIP CHAR(1), Credit VARCHAR(12),
      Email TEXT, Phone TEXT);
    CREATE TABLE tblBooking (
      BookingID INTEGER PRIMARY KEY AUTOINCREMENT, Code TEXT, CustomerID INTEGER, Status SMALLINT,
      Total VARCHAR(12), BookedAt INTEGER, CardToken BLOB, LastTouched TEXT);
    CREATE UNIQUE INDEX ixBookingCode ON tblBooking (Code);
    CREATE TABLE tblBookingExtra (
      BookingID INTEGER PRIMARY KEY, Insured CHAR(1) NOT NULL CHECK (Insured IN ('Y', 'N')), Remark);
    CREATE TABLE tblLeg (
      BookingID INTEGER, LegNo INTEGER, "From" TEXT, "To" TEXT, Departs TEXT, Plan BLOB,
      PRIMARY KEY (BookingID, LegNo));
    CREATE TABLE tblLog (LogID INTEGER PRIMARY KEY, BookingID INTEGER, Status SMALLINT);
    CREATE TRIGGER trgTouch AFTER UPDATE ON tblBooking BEGIN
      UPDATE tblBooking SET LastTouched = datetime('now') WHERE BookingID = NEW.BookingID;
    END;
    CREATE TRIGGER trgCode AFTER INSERT ON tblBooking WHEN NEW.Code IS NULL BEGIN
      UPDATE tblBooking SET Code = 'B-' || NEW.BookingID WHERE BookingID = NEW.BookingID;
    END;
    CREATE TRIGGER trgLog AFTER UPDATE OF Status ON tblBooking WHEN OLD.Status IS NOT NEW.Status BEGIN
      INSERT INTO tblLog (BookingID, Status) VALUES (NEW.BookingID, NEW.Status);
    END;
    CREATE TRIGGER trgGone AFTER DELETE ON tblBooking BEGIN
      DELETE FROM tblLeg WHERE BookingID = OLD.BookingID;
      DELETE FROM tblBookingExtra WHERE BookingID = OLD.BookingID;
    END;`,
  extracted: `
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, passport_no TEXT, referred_by INTEGER,
      is_vip INTEGER, credit_minor INTEGER);
    CREATE TABLE contacts (customer_id INTEGER PRIMARY KEY, email TEXT, phone TEXT);
    CREATE TABLE bookings (id INTEGER PRIMARY KEY, code TEXT UNIQUE, customer_id INTEGER, status TEXT,
      total_minor INTEGER, booked_at INTEGER, card_token BLOB, is_insured INTEGER, remark);
    CREATE TABLE legs (booking_id INTEGER NOT NULL, leg_no INTEGER NOT NULL, origin TEXT,
      destination TEXT, departs_at TEXT, plan BLOB, PRIMARY KEY (booking_id, leg_no));`,
} as const;

/** What the monolith's operators run every night, at its own prompt. */
export const nightlyJob = `
  UPDATE tblBooking SET Status = 2 WHERE Status = 1 AND BookedAt < 500000;
  REPLACE INTO tblBookingExtra SELECT BookingID, 'N', 'lapsed' FROM tblBooking WHERE Status = 9;
  UPDATE tblCustomer SET Credit = NULL WHERE Credit = '0,00';
  DELETE FROM tblBooking WHERE Status IS NULL AND CustomerID IS NULL;`;

/** '12,50' for 1250: decimals as a cash register on the continent prints them. */
function commaToMinor(legacy: string, extracted: string): Codec {
  const { forward, backward } = decimalToMinor(legacy, extracted, 2);
  return transform(legacy, extracted, {
    name: 'decimal comma, two digits',
    forward(value) {
      if (typeof value === 'string' && !value.includes('.'))
        return forward(value.replace(',', '.'));
      throw new MappingError(`${legacy}: not a decimal such as '12,50'`);
    },
    backward: (value) => String(backward(value)).replace('.', ','),
  });
}

function secondsToMs(legacy: string, extracted: string): Codec {
  const whole = (column: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw new MappingError(`${column}: not a whole number of seconds`);
  };
  return transform(legacy, extracted, {
    name: 'seconds',
    forward: (value) => whole(extracted, whole(legacy, value) * 1000),
    backward: (value) => whole(legacy, whole(extracted, value) / 1000),
  });
}

const triggers = {
  trgTouch: 'writes LastTouched only, which is left out',
  trgCode: 'gives a code where there is none; the service always gives one',
  trgLog: 'the log shows what the service did, too',
  trgGone: 'the service deletes legs and extras with their booking itself',
};

export const bookings = defineMapping({
  capability: 'bookings',
  pairs: [
    {
      name: 'customers',
      legacy: { table: 'tblCustomer' },
      extracted: { table: 'customers' },
      key: [rename('CustomerID', 'id')],
      columns: [
        rename('FullName', 'name'),
        secret(rename('Passport', 'passport_no')),
        rename('ReferredBy', 'referred_by'),
        enumeration('VIP', 'is_vip', { Y: 1, N: 0 }),
        commaToMinor('Credit', 'credit_minor'),
      ],
    },
    {
      name: 'contacts',
      partOf: { pair: 'customers', by: ['CustomerID'] },
      legacy: { table: 'tblCustomer', resetTo: { Email: null, Phone: null } },
      extracted: { table: 'contacts', optional: true },
      key: [rename('CustomerID', 'customer_id')],
      columns: [rename('Email', 'email'), rename('Phone', 'phone')],
    },
    {
      name: 'bookings',
      legacy: { table: 'tblBooking', triggers, leftOut: { LastTouched: 'trgTouch keeps it' } },
      extracted: { table: 'bookings' },
      key: [rename('BookingID', 'id')],
      columns: [
        rename('Code', 'code'),
        rename('CustomerID', 'customer_id'),
        enumeration(
          'Status',
          'status',
          { 0: 'requested', 1: 'confirmed', 2: 'sailed', 9: 'cancelled' },
          { legacyNumbers: true },
        ),
        commaToMinor('Total', 'total_minor'),
        secondsToMs('BookedAt', 'booked_at'),
        secret(rename('CardToken', 'card_token')),
      ],
    },
    {
      name: 'extras',
      partOf: { pair: 'bookings', by: ['BookingID'] },
      legacy: { table: 'tblBookingExtra' },
      extracted: {
        table: 'bookings',
        where: { is_insured: [0, 1] },
        resetTo: { is_insured: null, remark: null },
      },
      key: [rename('BookingID', 'id')],
      columns: [enumeration('Insured', 'is_insured', { Y: 1, N: 0 }), rename('Remark', 'remark')],
    },
    {
      name: 'legs',
      partOf: { pair: 'bookings', by: ['BookingID'] },
      legacy: { table: 'tblLeg' },
      extracted: { table: 'legs' },
      key: [rename('BookingID', 'booking_id'), rename('LegNo', 'leg_no')],
      columns: [
        rename('From', 'origin'),
        rename('To', 'destination'),
        // Its zone would be lost in a point of time: so it stays the text that it is.
        same('Departs', 'departs_at'),
        rename('Plan', 'plan'),
      ],
    },
  ],
});
