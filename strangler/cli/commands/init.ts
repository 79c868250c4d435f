import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { dialectOf, errorText } from '../../../chassis/index.ts';
import { bytesText } from '../../assess/index.ts';
import type { Survey, SurveyedTable } from '../../assess/index.ts';
import { step } from '../../engine/next-step.ts';
import { proposalsFor, routesIn, surveyOf, writeConfiguration } from '../../init/index.ts';
import type { InitResult, Proposal } from '../../init/index.ts';
import { plural } from '../../wording.ts';
import { addCommand, withSurroundings, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { ask } from '../ask.ts';
import { CommandError, confirmed, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions, Surroundings } from '../../../chassis/cli/index.ts';

interface InitOptions extends OutputOptions {
  readonly database?: string;
  readonly monolithUrl?: string;
  readonly tables?: readonly string[];
  readonly routes?: readonly string[];
  readonly openapi?: string;
  readonly name?: string;
  readonly dir: string;
  readonly yes: boolean;
}

const MONOLITH = 'http://127.0.0.1:5000';

/** Declares `fig init`. */
export function addInit(program: Command, run: Run): void {
  addCommand(program, 'init', {
    does:
      "look at a monolith's database, propose tables that can move together, and write a configuration for them; " +
      'changes nothing in the database, and no file that was edited',
    examples: [
      'fig init',
      'fig init --database postgres://user@host/shop --routes /api/orders --yes',
      'fig init --database postgres://user@host/shop --tables orders,order_lines --name orders --yes',
    ],
  })
    .option('--database <url>', "the monolith's database")
    .option('--monolith-url <url>', `where the monolith answers; ${MONOLITH} when left out`)
    .option('--tables <names>', 'move these tables, separated by commas', parseList)
    .option('--routes <paths>', 'the routes of the capability, separated by commas', parseList)
    .option('--openapi <file>', 'an OpenAPI document of the monolith, to find the routes in')
    .option('--name <name>', 'what the capability is called, such as bookings', parseName)
    .option('--dir <folder>', 'where to write', '.')
    .option(...YES, false)
    .action((options: InitOptions) =>
      run(options, (surroundings, output) => init(output, surroundings, options), withSurroundings),
    );
}

async function init(
  output: Output,
  surroundings: Surroundings,
  options: InitOptions,
): Promise<void> {
  const { dir } = options;
  const database =
    options.database ??
    surroundings.env['MONOLITH_DATABASE_URL'] ??
    (output.json ? null : await ask(surroundings, "The monolith's database, as a URL:"));
  if (database === null || database === '') {
    throw new CommandError(
      EXIT.usage,
      'usage_database',
      "which database? give the monolith's as --database",
      'fig init --database postgres://user@host/name',
    );
  }
  if (dialectOf(database) !== 'postgres') {
    throw new CommandError(
      EXIT.usage,
      'usage_database',
      'fig init reads PostgreSQL; write the configuration of a SQLite database by hand',
    );
  }
  output.progress('reading what the database says of itself');
  const survey = await surveyOf(database);
  const openapi = options.openapi === undefined ? [] : await documentedRoutes(options.openapi);
  const [proposal, ...others] = proposalsOf(survey, options, openapi);
  if (proposal === undefined) {
    throw new CommandError(
      EXIT.failed,
      'no_tables',
      `${survey.database} has no tables that this user finds by name`,
      'fig assess --database URL',
    );
  }
  output.progressEnd();
  await confirmed(output, {
    look: () => ({
      will: `${tablesText(survey)}\n\n${proposalText(proposal, others)}`,
      question: `Write a configuration for ${proposal.name} to ${join(dir, 'fig.config.ts')}?`,
    }),
    yes: options.yes,
    command: commandOf(options),
  });
  const result = await writeConfiguration({
    directory: dir,
    survey,
    name: proposal.name,
    tables: proposal.tables,
    routes: proposal.routes,
    monolithUrl: options.monolithUrl ?? surroundings.env['MONOLITH_URL'] ?? MONOLITH,
    databaseUrl: database,
  });
  const next = [
    step('fig assess', 'says what fits, what needs a choice, and what it costs; reads only'),
  ];
  output.result(
    { proposal, others, ...result },
    () =>
      [
        proposalText(proposal, others),
        '',
        ...filesText(result, dir),
        `next: answer what is marked QUESTION:, then fig assess (${join(dir, 'README.md')} has the rest)`,
      ].join('\n'),
    next,
  );
}

/** @throws CommandError where a table that was asked for is not there */
function proposalsOf(
  survey: Survey,
  { name, tables, routes = [] }: InitOptions,
  openapi: readonly string[],
): readonly Proposal[] {
  const proposals = proposalsFor(survey.tables, { name, routes });
  const withDocumented = proposals.map((proposal): Proposal => {
    if (routes.length > 0) return { ...proposal, routes };
    const own = proposalsFor(
      survey.tables.filter((table) => proposal.tables.includes(table.name)),
      { name: proposal.name, routes: openapi },
    );
    return { ...proposal, routes: own[0]?.routes ?? [] };
  });
  if (tables === undefined) return withDocumented;
  const absent = tables.filter(
    (table) => !survey.tables.some((one) => one.name === table && one.visible),
  );
  if (absent.length > 0) {
    throw new CommandError(
      EXIT.usage,
      'usage_tables',
      `there is no table ${absent.join(', ')}; there are ${survey.tables
        .filter(({ visible }) => visible)
        .map((table) => table.name)
        .join(', ')}`,
    );
  }
  const chosen: Proposal = {
    name: name ?? tables[0] ?? '',
    tables,
    routes,
    why: Object.fromEntries(tables.map((table) => [table, 'named by --tables'])),
  };
  return [chosen];
}

/** @throws CommandError where the document can't be read */
async function documentedRoutes(file: string): Promise<readonly string[]> {
  try {
    return routesIn(await readFile(file, 'utf8'));
  } catch (error) {
    const message = `${file} can't be read as an OpenAPI document: ${errorText(error)}`;
    throw new CommandError(EXIT.failed, 'openapi_unreadable', message);
  }
}

function tablesText({ database, server, tables }: Survey): string {
  const lines = tables
    .filter(({ visible }) => visible)
    .map((table) => `  ${table.name}  ${factsOf(table).join(', ')}`);
  return [`${database} (${server})`, ...lines].join('\n');
}

function factsOf({
  kind,
  rows,
  bytes,
  primaryKey,
  references,
  triggers,
}: SurveyedTable): readonly string[] {
  return [
    ...(kind === 'table' ? [] : [kind]),
    rows === null ? 'rows not counted yet' : `about ${plural(rows, 'row')}`,
    bytesText(bytes),
    primaryKey.length === 0 ? 'no key' : `key ${primaryKey.join(', ')}`,
    ...references.map(({ columns, parent }) => `${columns.join(', ')} to ${parent}`),
    ...triggers.map(({ name }) => `trigger ${name}`),
  ];
}

function proposalText(
  { name, tables, routes, why }: Proposal,
  others: readonly Proposal[],
): string {
  return [
    `proposed: ${name}`,
    ...tables.map((table) => `  ${table}: ${why[table] ?? ''}`),
    `  routes: ${routes.length === 0 ? 'not known; give --routes or --openapi' : routes.join(', ')}`,
    ...(others.length === 0
      ? []
      : [
          `others, by --name: ${others.map((other) => `${other.name} (${plural(other.tables.length, 'table')})`).join(', ')}`,
        ]),
  ].join('\n');
}

function filesText({ files, questions }: InitResult, directory: string): readonly string[] {
  const words = {
    written: 'written',
    unchanged: 'as it was written before',
    kept: 'kept as it is: it was edited, or was there before',
  };
  return [
    ...files.map(({ name, outcome }) => `${join(directory, name)}: ${words[outcome]}`),
    ...(questions > 0 ? [`${plural(questions, 'question')} marked in what was written`] : []),
  ];
}

function commandOf(options: InitOptions): string {
  const { database, monolithUrl, tables, routes, openapi, name, dir } = options;
  const given = Object.entries({
    // A password is for no screen.
    '--database': database !== undefined && new URL(database).password !== '' ? 'URL' : database,
    '--monolith-url': monolithUrl,
    '--tables': tables?.join(','),
    '--routes': routes?.join(','),
    '--openapi': openapi,
    '--name': name,
    '--dir': dir === '.' ? undefined : dir,
  });
  const words = given.flatMap(([option, value]) => (value === undefined ? [] : [option, value]));
  return ['fig init', ...words].join(' ');
}

function parseList(text: string): readonly string[] {
  const all = text.split(',').map((each) => each.trim());
  if (all.every((each) => each !== '')) return all;
  throw new InvalidArgumentError('Give them separated by commas.');
}

function parseName(text: string): string {
  if (/^[a-z][a-z0-9_]*$/.test(text)) return text;
  throw new InvalidArgumentError('Give a lower-case name such as bookings.');
}
