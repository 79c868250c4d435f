import type { SurveyedReference, SurveyedTable } from '../assess/index.ts';

/** What is known of the capability that is to move. */
interface Hints {
  /** Its name, such as `bookings`. */
  readonly name?: string | undefined;
  /** Paths of its routes, such as `/api/bookings`. */
  readonly routes?: readonly string[] | undefined;
}

/** Tables that belong together, and why. */
export interface Proposal {
  readonly name: string;
  /** Parents before those that refer to them. */
  readonly tables: readonly string[];
  readonly routes: readonly string[];
  /** One sentence for each table. */
  readonly why: Readonly<Record<string, string>>;
}

/** Tables that every application has, and that are no capability by themselves. */
const PLUMBING = /(^|_)(migrations?|schema|sessions?|audit|log|logs|cache|jobs?|queue)(_|$)/;
/** Parts of a path that name no resource. */
const PREFIX = /^(api|rest|v\d+|public|internal)$/i;

/**
 * Capabilities that could move, the likeliest first.
 *
 * A table whose name, or whose key, is made of another's is a part of that one: they form an aggregate. A capability
 * begins with the aggregates that its name or its routes say, or with any one, and takes in the aggregates that
 * these refer to, as long as most foreign keys to them come from it: what everybody refers to, such
 * as customers, stays.
 */
export function proposalsFor(
  surveyed: readonly SurveyedTable[],
  { name, routes = [] }: Hints,
): readonly Proposal[] {
  const tables = surveyed.filter(({ visible, kind }) => visible && kind === 'table');
  const aggregates = aggregatesOf(tables);
  const nouns = [...new Set([...(name === undefined ? [] : [name]), ...routes.map(nounOf)])];
  const named = aggregates.filter((aggregate) =>
    nouns.some((noun) => aggregate.some((table) => sameNoun(table, noun))),
  );
  const starts: readonly (readonly string[])[] =
    named.length > 0 ? [named.flat()] : aggregates.filter(([root = '']) => !PLUMBING.test(root));
  const proposals = starts.map((start) => {
    const chosen = absorbed(tables, aggregates, start);
    const [first = ''] = start;
    const ordered = parentsFirst(tables, chosen);
    const proposal: Proposal = {
      name: name ?? first,
      tables: ordered,
      routes: routes.filter((route) => ordered.some((table) => sameNoun(table, nounOf(route)))),
      why: Object.fromEntries(
        ordered.map((table) => [table, reasonFor(tables, aggregates, start, table)]),
      ),
    };
    // What consists of several tables is likelier a thing of its own than what only notes something about one.
    return { proposal, consists: start.length > 1 };
  });
  const rowsOf = (proposal: Proposal): number =>
    tables
      .filter((table) => proposal.tables.includes(table.name))
      .reduce((sum, table) => sum + (table.rows ?? 0), 0);
  return proposals
    .sort(
      (left, right) =>
        Number(right.consists) - Number(left.consists) ||
        right.proposal.tables.length - left.proposal.tables.length ||
        rowsOf(right.proposal) - rowsOf(left.proposal),
    )
    .map(({ proposal }) => proposal);
}

/** Each a root and its parts, the root first. */
function aggregatesOf(tables: readonly SurveyedTable[]): readonly (readonly string[])[] {
  const rootOf = (table: SurveyedTable, seen: readonly string[]): string => {
    const whole = wholeOf(tables, table);
    if (whole === undefined || seen.includes(whole.name)) return table.name;
    return rootOf(whole, [...seen, table.name]);
  };
  const roots = new Map<string, string[]>();
  for (const table of tables) {
    const root = rootOf(table, []);
    roots.set(root, [...(roots.get(root) ?? []), table.name]);
  }
  return [...roots].map(([root, all]) => [root, ...all.filter((table) => table !== root)]);
}

/** The table of which another one is a part. */
function wholeOf(
  tables: readonly SurveyedTable[],
  table: SurveyedTable,
): SurveyedTable | undefined {
  const parents = table.references
    .filter(({ parent }) => parent !== table.name)
    .filter((reference) => isPart(table, reference))
    .map(({ parent }) => tables.find(({ name }) => name === parent));
  return parents.find((parent) => parent !== undefined);
}

function isPart(table: SurveyedTable, { columns, parent }: SurveyedReference): boolean {
  const { primaryKey } = table;
  const identifies =
    primaryKey.length > columns.length && columns.every((column) => primaryKey.includes(column));
  return identifies || table.name.startsWith(`${singular(parent)}_`);
}

/** Takes in what a capability refers to, and hardly anybody else does. */
function absorbed(
  tables: readonly SurveyedTable[],
  aggregates: readonly (readonly string[])[],
  start: readonly string[],
): readonly string[] {
  const chosen = new Set(start);
  for (let grown = true; grown;) {
    grown = false;
    for (const aggregate of aggregates) {
      if (aggregate.some((table) => chosen.has(table))) continue;
      const references = tables
        .filter(({ name }) => !aggregate.includes(name))
        .flatMap(({ name, references: all }) =>
          all.filter(({ parent }) => aggregate.includes(parent)).map(() => name),
        );
      const own = references.filter((child) => chosen.has(child)).length;
      if (own * 2 <= references.length) continue;
      for (const table of aggregate) chosen.add(table);
      grown = true;
    }
  }
  return [...chosen];
}

function parentsFirst(
  tables: readonly SurveyedTable[],
  chosen: readonly string[],
): readonly string[] {
  const ordered: string[] = [];
  const visit = (name: string, above: readonly string[]): void => {
    if (ordered.includes(name) || above.includes(name) || !chosen.includes(name)) return;
    const table = tables.find((one) => one.name === name);
    for (const { parent } of table?.references ?? []) visit(parent, [...above, name]);
    ordered.push(name);
  };
  for (const name of chosen) visit(name, []);
  return ordered;
}

/** Tables in the order in which their rows have to be copied. */
export function inOrder(
  tables: readonly SurveyedTable[],
  names: readonly string[],
): readonly string[] {
  return parentsFirst(tables, names);
}

function reasonFor(
  tables: readonly SurveyedTable[],
  aggregates: readonly (readonly string[])[],
  start: readonly string[],
  name: string,
): string {
  const table = tables.find((one) => one.name === name);
  const whole = table && wholeOf(tables, table);
  if (whole !== undefined) return `a part of ${whole.name}, by its key or name`;
  if (start.includes(name)) return 'what the capability is about';
  const aggregate = aggregates.find((one) => one.includes(name)) ?? [];
  return `most foreign keys to ${aggregate[0] ?? name} come from this capability`;
}

/** The first part of a path that names a resource. */
export function nounOf(route: string): string {
  const noun = route.split('/').find((part) => part !== '' && !PREFIX.test(part));
  return (noun ?? '').replaceAll('-', '_').toLowerCase();
}

function sameNoun(table: string, noun: string): boolean {
  return noun !== '' && singular(table.toLowerCase()) === singular(noun.toLowerCase());
}

function singular(noun: string): string {
  if (noun.endsWith('ies')) return `${noun.slice(0, -3)}y`;
  if (/(ss|us|is)$/.test(noun)) return noun;
  return noun.endsWith('s') ? noun.slice(0, -1) : noun;
}
