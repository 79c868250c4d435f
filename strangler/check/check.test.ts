import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inSoak } from '../../tests/support/index.ts';
import {
  decimalToMinor,
  defineMapping,
  derived,
  enumeration,
  equalBy,
  same,
  secret,
  transform,
  unsignedZero,
} from '../mapping/index.ts';
import type { Codec, Mapping, Pair } from '../mapping/index.ts';
import { openInspectors } from '../sides/sides.ts';
import { events, happen } from '../../tests/strangler/support/history.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { checkCapability } from './check.ts';
import type { CheckReport } from './check.ts';

async function checked(
  { urls }: Sides,
  mapping: Mapping = shop,
  measure = true,
): Promise<CheckReport> {
  const inspectors = await openInspectors(mapping, urls);
  try {
    return await checkCapability({ mapping, inspectors, measure });
  } finally {
    await inspectors.legacy.close();
    await inspectors.extracted.close();
  }
}

/** Two small tables beside the shop's, of which each test has its own idea. */
const NUM = `CREATE TABLE THING (ID INTEGER PRIMARY KEY`;

function things(columns: readonly Codec[], over: Partial<Pair> = {}): Mapping {
  return defineMapping({
    capability: 'things',
    pairs: [
      {
        name: 'things',
        legacy: { table: 'THING' },
        extracted: { table: 'things' },
        key: [same('ID', 'id')],
        columns,
        ...over,
      },
    ],
  });
}

interface Case {
  readonly legacy: string;
  readonly extracted: string;
  readonly columns: readonly Codec[];
  readonly over?: Partial<Pair>;
}

function findingsOf({ legacy, extracted, columns, over }: Case): Promise<CheckReport['findings']> {
  return withSides(async (sides) => {
    sides.legacy.exec(legacy);
    sides.extracted.exec(extracted);
    return (await checked(sides, things(columns, over))).findings;
  });
}

const broken = transform('A', 'a', {
  name: 'upper case',
  forward: (value) => String(value).toUpperCase(),
  backward: (value) => String(value).toLowerCase(),
});

describe('a check', () => {
  it('finds nothing wrong with a mapping that loses nothing, whatever happened to its rows', () =>
    fc.assert(
      fc.asyncProperty(fc.array(events.legacy, { maxLength: 30 }), (history) =>
        withSides(async (sides) => {
          for (const event of history) happen(sides.legacy, event);
          // A payment that is pending has an UPD of its own only by accident.
          sides.legacy.exec(`UPDATE PAY SET UPD = CRT WHERE STAT = 'P';
            UPDATE RFND SET UPD = CRT WHERE STAT = 'P'`);
          expect(await checked(sides)).toMatchObject({ ok: true, findings: [], triggers: [] });
        }),
      ),
      { numRuns: inSoak(15, 5) },
    ));

  it.each<[string, string, string, Case]>([
    [
      'a column without source',
      'not_carried',
      'extracted table things: no pair carries b',
      {
        legacy: `${NUM})`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, b)`,
        columns: [],
      },
    ],
    [
      'a transform that does not undo itself',
      'loses_value',
      `legacy THING.A: 'Ab' becomes 'AB' in things.a and comes back as 'ab' (row ID 7)`,
      {
        legacy: `${NUM}, A TEXT); INSERT INTO THING VALUES (7, 'Ab')`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)`,
        columns: [broken],
      },
    ],
    [
      'a transform without its inverse',
      'no_inverse',
      'pair "things": A <-> a has no backward',
      {
        legacy: `${NUM}, A TEXT)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)`,
        columns: [{ ...same('A', 'a'), backward: undefined as never }],
      },
    ],
    [
      'codes that are not one to one',
      'not_injective',
      `both 'X' and 'Y' become 'z', so 'z' has no way back`,
      {
        legacy: `${NUM}, A TEXT)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)`,
        columns: [enumeration('A', 'a', { X: 'z', Y: 'z' })],
      },
    ],
    [
      'a code that the schema allows and the mapping does not know',
      'not_total',
      `legacy THING.A: A: 'Y' is none of X`,
      {
        legacy: `${NUM}, A TEXT CHECK (A IN ('X', 'Y')))`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)`,
        columns: [enumeration('A', 'a', { X: 'x' })],
      },
    ],
    [
      'a code that only a row knows',
      'no_way',
      `legacy THING.A: A: 'Q' is none of X (row ID 3)`,
      {
        legacy: `${NUM}, A TEXT); INSERT INTO THING VALUES (1, 'X'), (3, 'Q'), (4, 'Q')`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)`,
        columns: [enumeration('A', 'a', { X: 'x' })],
      },
    ],
    [
      'two columns written from one place',
      'duplicate_column',
      'legacy column A is mapped twice (A <-> b)',
      {
        legacy: `${NUM}, A TEXT)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT, b TEXT)`,
        columns: [same('A', 'a'), same('A', 'b')],
      },
    ],
    [
      'a key that nothing makes unique',
      'key_not_unique',
      'legacy table THING: nothing makes (ID) unique',
      {
        legacy: `CREATE TABLE THING (ID INTEGER); CREATE INDEX by_id ON THING (ID)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY)`,
        columns: [],
      },
    ],
    [
      'text that becomes a number',
      'loses_value',
      `legacy THING.A: '12.30' becomes 12.3 in things.a and comes back as '12.3'`,
      {
        legacy: `${NUM}, A TEXT)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a REAL)`,
        columns: [same('A', 'a')],
      },
    ],
    [
      'a whole number that becomes a real one',
      'loses_value',
      'legacy THING.A: 9007199254740993 becomes 9007199254740992 in things.a and comes back as 9007199254740992',
      {
        legacy: `${NUM}, A INTEGER)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a REAL)`,
        columns: [same('A', 'a')],
      },
    ],
    [
      'an amount with too many digits in one row',
      'no_way',
      `AMT: '1.005' is not a decimal such as '12.33' (row ID 9)`,
      {
        legacy: `${NUM}, AMT TEXT); INSERT INTO THING VALUES (9, '1.005')`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, amount INTEGER)`,
        columns: [decimalToMinor('AMT', 'amount', 2)],
      },
    ],
    [
      'a NULL that the other side does not take',
      'does_not_fit',
      'legacy THING.A: is NULL, which things.a does not take (row ID 1)',
      {
        legacy: `${NUM}, A TEXT); INSERT INTO THING VALUES (1, NULL)`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT NOT NULL)`,
        columns: [same('A', 'a')],
      },
    ],
    [
      'a value that a strict table does not take',
      'does_not_fit',
      `legacy THING.A: things.a does not take 0.30000000000000004: cannot store REAL value in INT column`,
      {
        legacy: `${NUM}, A); INSERT INTO THING VALUES (1, 'x')`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a INT) STRICT`,
        columns: [same('A', 'a')],
      },
    ],
    [
      'a key that is NULL',
      'null_key',
      'legacy THING: 1 of its rows have NULL in their key (ID)',
      {
        legacy: `CREATE TABLE THING (ID TEXT PRIMARY KEY); INSERT INTO THING VALUES (NULL), ('a')`,
        extracted: `CREATE TABLE things (id TEXT PRIMARY KEY)`,
        columns: [],
      },
    ],
    [
      'rows that a unique index of the other side would refuse',
      'not_unique_here',
      `legacy THING holds (A) = ('s') twice, but things.(a) is unique`,
      {
        legacy: `${NUM}, A TEXT); INSERT INTO THING VALUES (1, 's'), (2, 's')`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT UNIQUE)`,
        columns: [same('A', 'a')],
      },
    ],
    [
      'a trigger that would fire again',
      'foreign_trigger',
      'trigger log_thing would fire again for applied rows',
      {
        legacy: `${NUM}); CREATE TRIGGER log_thing AFTER INSERT ON THING BEGIN SELECT 1; END`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY)`,
        columns: [],
      },
    ],
    [
      'a secret key',
      'secret_key',
      `key ID <-> id can't be secret`,
      {
        legacy: `${NUM})`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY)`,
        columns: [],
        over: { key: [secret(same('ID', 'id'))] },
      },
    ],
    [
      'a key that is equal by declaration',
      'equal_key',
      `key ID <-> id can't be equal by declaration`,
      {
        legacy: `${NUM})`,
        extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY)`,
        columns: [],
        over: { key: [equalBy(same('ID', 'id'), unsignedZero)] },
      },
    ],
  ])('refuses %s', async (_, code, message, what) => {
    const findings = await findingsOf(what);
    const messages = findings.filter((one) => one.code === code).map((one) => one.message);
    expect(messages).toContainEqual(expect.stringContaining(message));
  });

  it('names each fault once, with a row that shows it, and counts the others', async () => {
    const findings = await findingsOf({
      legacy: `${NUM}, A TEXT); INSERT INTO THING VALUES (1, 'X'), (3, 'Q'), (4, 'Q')`,
      extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT)`,
      columns: [enumeration('A', 'a', { X: 'x' })],
    });
    expect(findings).toMatchObject([
      { code: 'no_way', side: 'legacy', column: 'THING.A', counterexample: 'ID 3', count: 2 },
    ]);
  });

  it('sees what a row without partner would lose, and rows that no pair claims', () =>
    withSides(async (sides) => {
      const [early, late] = ['2026-01-01 00:00:00.000', '2026-01-02 00:00:00.000'];
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p', '1.00', 'P', '${early}', '${late}'),
        ('q', '1.00', 'X', '${early}', '${early}')`);
      sides.extracted.exec(`INSERT INTO entries VALUES ('p', 'what', 'captured', 1, 1)`);
      const { findings } = await checked(sides);
      expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
        `lost_when_absent: legacy PAY.UPD of row PAY_NO 'p': '${late}' is not carried by pair "settlements" and would come back as '${early}'`,
        `lost_when_absent: legacy PAY.STAT of row PAY_NO 'q': 'X' is no code of pair "settlements" and would come back as 'P'`,
        `row_without_pair: extracted entries: row payment_id 'p', entry_id 'what' belongs to none of the pairs`,
      ]);
    }));

  it('takes a column that is derived from one that another codec carries', () =>
    findingsOf({
      legacy: `${NUM}, A TEXT); INSERT INTO THING VALUES (1, 'Ab')`,
      extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT, b TEXT)`,
      columns: [same('A', 'a'), derived('extracted', { ...broken, extracted: 'b' }, 'a has it')],
    }).then((findings) => expect(findings).toEqual([])));

  it('lists a trigger that the mapping gives a reason for', () =>
    withSides(async (sides) => {
      sides.legacy.exec(`${NUM});
        CREATE TRIGGER log_thing AFTER INSERT ON THING BEGIN SELECT 1; END`);
      sides.extracted.exec(`CREATE TABLE things (id INTEGER PRIMARY KEY)`);
      const triggers = { log_thing: 'does nothing' };
      const mapping = things([], { legacy: { table: 'THING', triggers } });
      expect(await checked(sides, mapping)).toMatchObject({
        ok: true,
        triggers: [
          { side: 'legacy', table: 'THING', trigger: 'log_thing', reason: 'does nothing' },
        ],
      });
    }));

  it('never shows a secret', async () => {
    const findings = await findingsOf({
      legacy: `${NUM}, A TEXT, B TEXT); INSERT INTO THING VALUES (1, 'hush', 'hush'), (2, NULL, 'hush')`,
      extracted: `CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT, b TEXT UNIQUE)`,
      columns: [secret(enumeration('A', 'a', { X: 'x' })), secret(same('B', 'b'))],
    });
    expect(findings.map(({ code }) => code)).toEqual(['not_unique_here', 'no_way']);
    expect(JSON.stringify(findings)).not.toContain('hush');
  });

  it('writes nothing', () =>
    withSides(async (sides) => {
      const schema = (): unknown => sides.legacy.prepare('SELECT * FROM sqlite_schema').all();
      const before = [schema(), sides.legacy.pragma('data_version')];
      await checked(sides);
      expect([schema(), sides.legacy.pragma('data_version')]).toEqual(before);
    }));
});
