import { setTimeout as delay } from 'node:timers/promises';
import { checkCapability, checkTypes, Findings, unopenedReport } from '../check/index.ts';
import type { Finding, Inspectors, MeasureProgress } from '../check/index.ts';
import { UnopenedError } from '../check/missing-right.ts';
import { defineMapping, same, tablesOf } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { openInspectors, surveyOf, writtenRowsOf } from '../sides/sides.ts';
import type { SideName } from '../../routing/side.ts';
import { managedNotes } from './clouds.ts';
import { loadOf } from './load.ts';
import type {
  AssessedDatabase,
  AssessedTable,
  Assessment,
  Item,
  Rights,
  WriteRate,
} from './report.ts';
import type { Survey, SurveyedTable } from './survey.ts';
import { helpFor, verdictOf, worst } from './verdict.ts';

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

interface Common {
  /** How long writes are counted, in ms; 0: not at all. */
  readonly windowMs: number;
  readonly onProgress?: (line: string) => void;
}

interface CapabilityOptions extends Common {
  readonly mapping: Mapping;
  readonly urls: Readonly<Record<SideName, string>>;
  /** Whether to try every row. */
  readonly rows: boolean;
  /** Sides whose application has its writes finished before its fence closes. */
  readonly drainFirst: readonly SideName[];
  readonly onMeasured?: (progress: MeasureProgress) => void;
}

/**
 * Looks whether a capability can be moved by its mapping, with all that `fig check` refuses. Reads only.
 * @throws UnreachableError
 */
export async function assessCapability(options: CapabilityOptions): Promise<Assessment> {
  const { mapping, urls, windowMs, rows, drainFirst } = options;
  const { report, grants } = await checked(options);
  const databases: AssessedDatabase[] = [];
  for (const side of SIDES) {
    options.onProgress?.(`${mapping.capability}: reading what the ${side} database says of itself`);
    const survey = await surveyOf(urls[side]);
    const names = tablesOf(mapping, side);
    const rates = side === 'legacy' ? await ratesOf(urls[side], survey, windowMs) : new Map();
    const findings = report.findings.filter((finding) => finding.side === side);
    const about = { survey, side, findings, rates, grants: grants[side] };
    const database = databaseOf(about, names);
    const load = side === 'legacy' ? loadOf(database.tables, drainFirst.includes('legacy')) : null;
    databases.push({ ...database, load });
  }
  const placed = new Set(databases.flatMap(itemsOf));
  const items = report.findings
    .map((finding) => itemOf(finding))
    .filter((item) => ![...placed].some((one) => sameItem(one, item)));
  return {
    capability: mapping.capability,
    verdict: worst([...items.map(({ verdict }) => verdict), ...verdictsOf(databases)]),
    databases,
    items,
    rowsTried: rows && report.rows !== null ? report.rows.legacy + report.rows.extracted : null,
  };
}

interface DatabaseOptions extends Common {
  readonly url: string;
  /** Only these; all that there are when left out. */
  readonly tables?: readonly string[] | undefined;
}

/**
 * Looks what could be moved out of a database of which no configuration says anything yet: each table is judged as if
 * it went to one of the same columns. Reads only, and tries no rows.
 * @throws UnreachableError
 */
export async function assessDatabase(options: DatabaseOptions): Promise<Assessment> {
  const { url, windowMs, onProgress } = options;
  onProgress?.('reading what the database says of itself');
  const survey = await surveyOf(url);
  const { tables = survey.tables.filter(({ visible }) => visible).map(({ name }) => name) } =
    options;
  const known = survey.tables.filter(({ name, visible }) => visible && tables.includes(name));
  const checkedTables = await checkedAlone(url, known);
  const absent = tables.filter((table) => !known.some(({ name }) => name === table));
  const findings = [...absent.map(absentTable), ...checkedTables.findings];
  const { grants } = checkedTables;
  const rates = await ratesOf(url, survey, windowMs);
  const about = { survey, side: null, findings, rates, grants };
  const database = databaseOf(about, tables);
  const items = findings.filter(({ column }) => column === null).map((each) => itemOf(each, null));
  return {
    capability: null,
    verdict: worst([...items.map(({ verdict }) => verdict), ...verdictsOf([database])]),
    databases: [{ ...database, load: loadOf(database.tables, false) }],
    items,
    rowsTried: null,
  };
}

interface Checked {
  readonly report: { readonly findings: readonly Finding[]; readonly rows: Counted | null };
  readonly grants: Readonly<Record<SideName, readonly string[]>>;
}
type Counted = Readonly<Record<SideName, number>>;

/** All that `fig check` says. */
async function checked(options: CapabilityOptions): Promise<Checked> {
  const { mapping, urls, rows, onMeasured } = options;
  const inspectors = await openInspectors(mapping, urls).catch((error: unknown) => {
    if (error instanceof UnopenedError) return error;
    throw error;
  });
  if (inspectors instanceof UnopenedError) {
    return {
      report: unopenedReport(mapping, inspectors),
      grants: { legacy: [], extracted: [] },
    };
  }
  try {
    const report = await checkCapability({
      mapping,
      inspectors,
      measure: rows,
      ...(onMeasured && { onProgress: onMeasured }),
    });
    const { legacy, extracted } = inspectors;
    return { report, grants: { legacy: legacy.grants(), extracted: extracted.grants() } };
  } finally {
    for (const side of SIDES) await inspectors[side].close();
  }
}

/** What would be said of a mapping to tables of the same columns. */
async function checkedAlone(
  url: string,
  tables: readonly SurveyedTable[],
): Promise<{ readonly findings: readonly Finding[]; readonly grants: readonly string[] }> {
  const mapping = sameTables(tables);
  if (tables.length === 0) return { findings: [], grants: [] };
  const inspectors: Inspectors = await openInspectors(mapping, { legacy: url, extracted: url });
  try {
    const findings = new Findings();
    const keyless = new Set(
      tables
        .filter(({ primaryKey, uniques }) => primaryKey.length === 0 && uniques.length === 0)
        .map(({ name }) => name),
    );
    // Of a table without a key, nothing else counts: it was tried with all of its columns for one.
    const problems = (await inspectors.legacy.problems()).filter(
      ({ code, place = '' }) => !keyless.has(tableIn(place)) || WITHOUT_KEY.has(code),
    );
    findings.addProblems('legacy', problems);
    // A table that has something in its way already need not be tried.
    const inTheWay = new Set(problems.map(({ place = '' }) => tableIn(place)));
    const fitting = mapping.pairs.filter(({ legacy }) => !inTheWay.has(legacy.table));
    const types = new Findings();
    await checkTypes({ ...mapping, pairs: fitting }, inspectors, types);
    const ofTypes = types.all.filter(({ side }) => side === 'legacy');
    return { findings: [...findings.all, ...ofTypes], grants: inspectors.legacy.grants() };
  } finally {
    for (const side of SIDES) await inspectors[side].close();
  }
}

function absentTable(table: string): Finding {
  const message = `${table}: does not exist in this database, or not where this user looks`;
  return {
    code: 'no_table',
    pair: null,
    side: 'legacy',
    column: table,
    counterexample: null,
    message,
    count: 1,
  };
}

const WITHOUT_KEY = new Set(['not_a_table', 'key_not_unique', 'missing_right', 'row_security']);

/** Of `TABLE` or `TABLE.COLUMN`. */
function tableIn(place: string): string {
  return place.split('.')[0] ?? '';
}

/** Each table to itself: what is said of it then is said by the database, and by no mapping. */
export function sameTables(tables: readonly SurveyedTable[]): Mapping {
  return defineMapping({
    capability: 'all',
    pairs: tables.map(({ name, columns, primaryKey, uniques }) => {
      const key = primaryKey.length > 0 ? primaryKey : (uniques[0] ?? columns.map((c) => c.name));
      return {
        name,
        legacy: { table: name },
        extracted: { table: name },
        key: key.map((column) => same(column, column)),
        columns: columns
          .filter((column) => !key.includes(column.name))
          .map((column) => same(column.name, column.name)),
      };
    }),
  });
}

type Rates = ReadonlyMap<string, WriteRate>;

/** Counts the rows that are written within a window. */
async function ratesOf(url: string, survey: Survey, windowMs: number): Promise<Rates> {
  const counts = survey.tables.some(({ written }) => written !== null);
  const seconds = windowMs / 1_000;
  const before = counts && windowMs > 0 ? await writtenRowsOf(url) : undefined;
  if (before !== undefined) await delay(windowMs);
  const after = before && (await writtenRowsOf(url));
  const now = Date.now();
  return new Map(
    survey.tables.flatMap(({ name, written }): [string, WriteRate][] => {
      if (written === null) return [];
      const grown = (after?.get(name) ?? 0) - (before?.get(name) ?? 0);
      const since = written.since === null ? null : (now - written.since) / 1_000;
      const average = since === null || since <= 0 ? null : written.rows / since;
      return [
        [
          name,
          {
            window: after === undefined ? null : Math.max(0, grown) / seconds,
            windowSeconds: after === undefined ? 0 : seconds,
            average,
          },
        ],
      ];
    }),
  );
}

interface About {
  readonly survey: Survey;
  readonly side: SideName | null;
  readonly findings: readonly Finding[];
  readonly rates: Rates;
  readonly grants: readonly string[];
}

function databaseOf(about: About, tables: readonly string[]): Omit<AssessedDatabase, 'load'> {
  const { survey, side } = about;
  const { server, database, user, unseen } = survey;
  const assessed = tables.map((table) => tableOf(about, table));
  return {
    side,
    server,
    database,
    user,
    tables: assessed,
    rights: rightsOf(about, assessed),
    writers: survey.writers.filter(
      ({ tables: named }) => named.length === 0 || named.some((table) => tables.includes(table)),
    ),
    unseen,
  };
}

function tableOf({ survey, side, findings, rates }: About, table: string): AssessedTable {
  const surveyed = survey.tables.find(({ name, visible }) => name === table && visible);
  const own = findings.filter(({ column }) => tableIn(column ?? '') === table);
  const ofTable = own.filter(({ column }) => column === table);
  const columns = (surveyed?.columns ?? []).map(({ name, type }) => {
    const items = own
      .filter(({ column }) => column === `${table}.${name}`)
      .map((finding) => itemOf(finding, side));
    return { column: name, type, verdict: worst(items.map(({ verdict }) => verdict)), items };
  });
  const inColumns = new Set(columns.map(({ column }) => `${table}.${column}`));
  // A finding about several columns, or about one that there is not, is the table's.
  const rest = own.filter(({ column }) => column !== table && !inColumns.has(column ?? ''));
  const items = [...ofTable, ...rest].map((finding) => itemOf(finding, side));
  const parts = [...items, ...columns].map(({ verdict }) => verdict);
  return {
    table,
    verdict: worst(parts),
    rows: surveyed?.rows ?? null,
    bytes: surveyed?.bytes ?? 0,
    columns,
    items,
    references: surveyed?.references ?? [],
    referredBy: survey.tables.flatMap(({ name, references }) =>
      references
        .filter(({ parent }) => parent === table)
        .map((reference) => `${name}(${reference.columns.join(', ')})`),
    ),
    triggers: (surveyed?.triggers ?? []).map(({ name }) => name),
    sequences: (surveyed?.columns ?? []).flatMap(({ name, sequence }) =>
      sequence === null ? [] : [`${name}: ${sequence}`],
    ),
    rowSecurity: surveyed?.rowSecurity ?? false,
    writes: rates.get(table) ?? null,
  };
}

function rightsOf(
  { survey, grants }: Pick<About, 'survey' | 'grants'>,
  tables: readonly AssessedTable[],
): Rights {
  const replicaRole = tables.some(
    ({ references, referredBy }) => references.length > 0 || referredBy.length > 0,
  );
  const bypassRls = tables.some(({ rowSecurity }) => rowSecurity);
  const { user } = survey;
  return {
    grants: [
      ...grants,
      ...(replicaRole && user !== null
        ? [`GRANT SET ON PARAMETER session_replication_role TO ${user}; -- PostgreSQL 15 and newer`]
        : []),
      ...(bypassRls && user !== null ? [`ALTER ROLE ${user} BYPASSRLS;`] : []),
    ],
    managed: managedNotes(survey, { replicaRole, bypassRls }),
  };
}

function itemOf(finding: Finding, side: SideName | null = finding.side): Item {
  const { code, message, counterexample } = finding;
  return {
    code,
    verdict: verdictOf(code),
    side,
    // Without a configuration there is only one database, and it has no side.
    message: side === null ? message.replace(/^legacy (table )?/, '') : message,
    help: helpFor(code),
    counterexample,
  };
}

function itemsOf({ tables }: Pick<AssessedDatabase, 'tables'>): readonly Item[] {
  return tables.flatMap(({ items, columns }) => [
    ...items,
    ...columns.flatMap((column) => column.items),
  ]);
}

function sameItem(left: Item, right: Item): boolean {
  return left.code === right.code && left.side === right.side && left.message === right.message;
}

function verdictsOf(
  databases: readonly Pick<AssessedDatabase, 'tables'>[],
): ReturnType<typeof worst>[] {
  return databases.flatMap(({ tables }) => tables.map(({ verdict }) => verdict));
}
