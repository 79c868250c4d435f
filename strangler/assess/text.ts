import { duration } from '../../chassis/text/index.ts';
import { count, plural } from '../wording.ts';
import type { AssessedDatabase, AssessedTable, Assessment, Item, Load } from './report.ts';
import type { Verdict } from './verdict.ts';

type Paint = (colour: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string;

/** Verdicts as people read them. */
export const WORDS: Readonly<Record<Verdict, string>> = {
  fits: 'fits',
  choice: 'needs a choice',
  cannot: "can't",
};

const COLOURS = { fits: 'green', choice: 'yellow', cannot: 'red' } as const;

/** How many tables have each verdict. */
export function verdictCounts({ databases }: Assessment): Readonly<Record<Verdict, number>> {
  const counts = { fits: 0, choice: 0, cannot: 0 };
  for (const { tables } of databases) for (const { verdict } of tables) counts[verdict] += 1;
  return counts;
}

/** One line that says how it looks. */
export function summaryOf(assessment: Assessment): string {
  const { fits, choice, cannot } = verdictCounts(assessment);
  const parts = [
    ...(cannot > 0 ? [`${plural(cannot, 'table')} can't be moved as they are`] : []),
    ...(choice > 0
      ? [`${plural(choice, 'table')} ${choice === 1 ? 'needs' : 'need'} a choice`]
      : []),
    ...(fits > 0 ? [`${plural(fits, 'table')} ${fits === 1 ? 'fits' : 'fit'}`] : []),
  ];
  return parts.join(', ') || 'no tables';
}

/** The report for a terminal. */
export function assessmentText(assessment: Assessment, paint: Paint): string {
  const { capability, verdict, databases, items, rowsTried } = assessment;
  const what = capability ?? databases[0]?.database ?? '';
  return [
    `${paint('bold', what)}  ${paint(COLOURS[verdict], WORDS[verdict])}: ${summaryOf(assessment)}`,
    ...items.map((item) => itemText(item, '  ', paint)),
    ...databases.map((database) => databaseText(database, paint)),
    ...(rowsTried === null ? [] : [`${plural(rowsTried, 'row')} went there and back`]),
  ].join('\n');
}

function databaseText(database: AssessedDatabase, paint: Paint): string {
  const { side, server, tables, rights, writers, unseen, load } = database;
  const heading = `${side === null ? '' : `${side}: `}${database.database} (${server})`;
  const here = rights.managed.filter((note) => note.here);
  const others = rights.managed.filter((note) => !note.here).map((note) => note.name);
  return [
    '',
    paint('bold', heading),
    ...tables.map((table) => tableText(table, paint)),
    ...(rights.grants.length === 0 ? [] : ['  rights that the engine needs here']),
    ...rights.grants.map((grant) => `    ${grant}`),
    ...here.flatMap(({ name, notes }) => [
      `  this looks like ${name}`,
      ...notes.map((note) => `    ${note}`),
    ]),
    ...(here.length === 0 && others.length > 0
      ? [paint('dim', `  managed (${others.join(', ')}): --json and --html say what differs there`)]
      : []),
    ...(writers.length === 0 ? [] : ['  what else may write']),
    ...writers.map(
      ({ kind, name, detail, tables: named }) =>
        `    ${kind} ${name}${named.length > 0 ? ` names ${named.join(', ')}` : ''}: ${detail}`,
    ),
    ...unseen.map((what) => paint('dim', `    not seen: ${what}`)),
    ...(load === null ? [] : loadLines(load).map((line) => `  ${line}`)),
    ...(load === null ? [] : load.from.map((line) => paint('dim', `    ${line}`))),
  ].join('\n');
}

function tableText(table: AssessedTable, paint: Paint): string {
  const facts = [
    table.rows === null ? 'rows not counted yet' : `about ${plural(table.rows, 'row')}`,
    bytesText(table.bytes),
    ...(table.writes === null ? [] : [writesText(table)]),
    ...(table.triggers.length > 0 ? [`trigger ${table.triggers.join(', ')}`] : []),
    ...(table.sequences.length > 0
      ? [`sequence on ${table.sequences.map((each) => each.split(':')[0]).join(', ')}`]
      : []),
    ...(table.rowSecurity ? ['row-level security'] : []),
  ];
  const items = [...table.items, ...table.columns.flatMap((column) => column.items)];
  return [
    `  ${table.table}  ${paint(COLOURS[table.verdict], WORDS[table.verdict])}  ${paint('dim', facts.join(', '))}`,
    ...items.map((item) => itemText(item, '    ', paint)),
  ].join('\n');
}

function itemText({ code, verdict, message, help }: Item, indent: string, paint: Paint): string {
  const helps = help === null || message.includes(help) ? '' : `; ${help}`;
  return `${indent}${paint(COLOURS[verdict], code)}: ${message}${helps}`;
}

export function writesText({ writes }: AssessedTable): string {
  if (writes === null) return '';
  const { window, windowSeconds, average } = writes;
  if (window === null) {
    return average === null ? 'writes not known' : `${rate(average)} written on average`;
  }
  const onAverage = average === null ? '' : ` (${rate(average)} on average)`;
  return `${rate(window)} written within ${windowSeconds} s${onAverage}`;
}

/** The figures of a load, one line each. */
export function loadLines(load: Load): readonly string[] {
  return [
    `size: ${plural(load.rows, 'row')}, ${bytesText(load.bytes)}`,
    `capture: ${rate(load.captureRowsPerSecond)}, ${bytesText(load.captureBytesPerSecond)} a second`,
    `copy: about ${duration(load.copySeconds * 1_000)}`,
    `pause of a handover: about ${duration(load.pauseMs)}`,
  ];
}

function rate(rows: number): string {
  const digits = rows > 0 && rows < 10 ? 2 : 0;
  return `${rows.toFixed(digits)} rows/s`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** A size as people read it. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? count(Math.round(value)) : value.toFixed(1)} ${UNITS[unit]}`;
}
