import { Option } from 'commander';
import type { Command } from 'commander';
import { dialectOf, shownUrl, tokenFile, tokenIn } from '../../../chassis/index.ts';
import { findConfig, upstreamSettings } from '../../../routing/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { parseSample, runConformance, SampleError, Service } from '../../conformance/index.ts';
import type { CheckResult, ScratchDatabase, TestSystem } from '../../conformance/index.ts';
import { openScratch } from '../../sides/sides.ts';
import { someOf } from '../../wording.ts';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { findSystem } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions, Paint } from '../../../chassis/cli/index.ts';
import { known } from '../suggest.ts';

interface ConformanceCommand extends OutputOptions {
  readonly capability?: string;
  readonly side: SideName;
  readonly database?: string;
  readonly write?: string;
  readonly read?: string;
  readonly refusedWrite?: string;
  readonly key?: string;
  readonly keys: boolean;
  readonly header: readonly string[];
  readonly ignoreTables?: string;
  readonly testSystem: boolean;
}

/** Declares `fig conformance`. */
export function addConformance(program: Command, run: Run): void {
  addCommand(program, 'conformance', {
    does:
      'hold a running service against the protocol of docs/your-service.md, from outside; exit 3 when a check ' +
      'fails. Reads only, unless --test-system says that its database may be written to: then it sends the ' +
      'sample write some ten times, whose rows stay, and moves a fence that it puts into the database and takes ' +
      'out again',
    examples: [
      'fig conformance http://127.0.0.1:5000',
      `fig conformance http://127.0.0.1:5000 --capability notes --test-system \\\n` +
        `    --database postgres://app:secret@127.0.0.1/notes_test \\\n` +
        `    --write 'POST /notes {"id": "{unique}", "text": "x"}' --read 'GET /notes'`,
    ],
  })
    .argument(
      '[url]',
      "the service itself, not a facade; by the configuration's upstream when left out",
    )
    .option('--capability <name>', 'whose fence; the only one of the configuration when left out')
    .addOption(
      new Option('--side <side>', 'which side of the capability the service is')
        .choices(['extracted', 'legacy'])
        .default('extracted'),
    )
    .option(
      '--database <url>',
      "of the service, file: or postgres:; the configuration's when left out",
    )
    .option(
      '--write <request>',
      "a write that succeeds each time: 'POST /path {json}'; {unique} and {number} are new",
    )
    .option('--read <request>', "a read: 'GET /path'")
    .option('--refused-write <request>', 'a write that the service refuses by its own rules')
    .option(
      '--key <key>',
      'whose rows --write changes, where single keys may move ahead of the rest',
    )
    .option('--without-keys', 'the service does not honour idempotency keys')
    .option('--header <name: value>', 'of every request; may be repeated', collect, [])
    .option('--ignore-tables <names>', 'tables that change by themselves, separated by commas')
    .option('--test-system', 'this is a test system: its database may be written to', false)
    .action(
      (url: string | undefined, options: ConformanceCommand & { readonly withoutKeys?: true }) =>
        run(
          options,
          (configured, output) =>
            conformance(configured, output, url, {
              ...options,
              keys: options.withoutKeys !== true,
            }),
          url === undefined ? findSystem : findIfConfigured,
        ),
    );
}

/** What a configuration says of the service that is tried. */
type Configured = Pick<Context, 'capabilities' | 'token'> & {
  readonly config: Pick<Context['config'], 'capabilities' | 'upstreams'>;
};

/** A service that has a URL can be tried before there is a configuration. */
async function findIfConfigured(env: NodeJS.ProcessEnv): Promise<Configured> {
  if (findConfig(env) !== undefined) return findSystem(env);
  const config = { capabilities: {}, upstreams: {} };
  return { config, capabilities: [], token: tokenIn(tokenFile(env)) };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** @throws CommandError when a check fails, after the report is printed; when it may not write where it would */
async function conformance(
  context: Configured,
  output: Output,
  url: string | undefined,
  options: ConformanceCommand,
): Promise<void> {
  const target = targetOf(context, url, options);
  const service = new Service(target.url, headersOf(options.header));
  await requireAnswer(service);
  const test = options.testSystem ? await openTest(target, options) : undefined;
  if (!test && (options.write ?? options.database) !== undefined) {
    throw new CommandError(
      EXIT.refused,
      'test_system_required',
      `writes would be sent to ${target.url}, and its fence closed: nothing was done`,
      'say --test-system if the service and its database are there for tests',
    );
  }
  let results: readonly CheckResult[];
  try {
    results = await runConformance({
      service,
      capability: target.capability,
      token: context.token.headers('fences'),
      test,
      onCheck: (name) => output.progress(`${target.url}: ${name}`),
    });
  } finally {
    await test?.scratch.close();
  }
  const failures = results.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
  const { capability } = target;
  output.result({ url: target.url, capability, ok: failures.length === 0, checks: results }, () =>
    reportText(target, results, output.paint),
  );
  if (failures.length === 0) return;
  const message = `${target.url} does not keep the protocol: ${failures.join(', ')}`;
  throw new CommandError(EXIT.refused, 'not_conformant', message);
}

/** @throws CommandError where no server answers, of which no check could say anything */
async function requireAnswer(service: Service): Promise<void> {
  try {
    await service.get('/livez');
  } catch (error) {
    throw new CommandError(
      EXIT.failed,
      'service_away',
      (error as Error).message,
      'start the service',
    );
  }
}

/** The service that is tried. */
interface Target {
  readonly url: string;
  readonly capability: string;
  readonly database: string | undefined;
}

/** What the options name, and for the rest what the configuration does. */
function targetOf(
  { config, capabilities }: Configured,
  url: string | undefined,
  { capability: named, side, database }: ConformanceCommand,
): Target {
  // A service that no configuration names yet can be tried as well.
  const [only] = capabilities.length === 1 ? capabilities : [];
  if (url !== undefined && !/^https?:\/\//.test(url)) {
    throw usage(`${url} is no URL`, 'fig conformance http://127.0.0.1:5000');
  }
  const capability = named ?? only;
  if (url === undefined && capability === undefined) {
    throw usage(
      `say which service: its URL, or --capability (${capabilities.join(', ')})`,
      'fig conformance http://127.0.0.1:5000',
    );
  }
  if (url === undefined) known('capability', capability ?? '', capabilities);
  const name = capability ?? '';
  const settings = config.capabilities[name];
  const server = settings && config.upstreams[settings[side]];
  const own = server === undefined ? undefined : upstreamSettings(server).url;
  return {
    url: url ?? own ?? '',
    capability: name,
    // That of another service than the one that is asked must not be written to.
    database: database ?? (url === undefined ? settings?.databases?.[side] : undefined),
  };
}

async function openTest(
  { database, capability }: Target,
  options: ConformanceCommand,
): Promise<TestSystem> {
  if (database === undefined)
    throw usage('--test-system needs --database', 'fig conformance --help');
  if (options.write === undefined)
    throw usage('--test-system needs --write', 'fig conformance --help');
  dialectOf(database);
  const request = (text: string | undefined) => (text === undefined ? undefined : sample(text));
  const test = {
    write: sample(options.write),
    read: request(options.read),
    refusedWrite: request(options.refusedWrite),
    cohortKey: options.key,
    keys: options.keys,
    isMonolith: options.side === 'legacy',
    leftOut: new Set((options.ignoreTables ?? '').split(',').map((table) => table.trim())),
  };
  const scratch = openDatabase(database);
  try {
    await refuseMigrated(scratch, capability);
  } catch (error) {
    await scratch.close();
    throw error;
  }
  return { scratch, ...test };
}

function openDatabase(url: string): ScratchDatabase {
  try {
    return openScratch(url);
  } catch (error) {
    const message = `${shownUrl(url)} can't be opened: ${(error as Error).message}`;
    throw new CommandError(
      EXIT.failed,
      'database_away',
      message,
      'give the service’s own as --database',
    );
  }
}

/** @throws CommandError where something else than conformance has put fences into the database */
async function refuseMigrated(scratch: ScratchDatabase, capability: string): Promise<void> {
  const tables = await scratch.foreignTables();
  if (tables.length === 0) return;
  throw new CommandError(
    EXIT.refused,
    'migration_under_way',
    `a migration is under way in this database (it has ${someOf(tables)}): its fences are not moved for a test`,
    `give a test database with the service's schema, or fig uninstall ${capability} first`,
  );
}

function sample(text: string) {
  try {
    return parseSample(text);
  } catch (error) {
    if (error instanceof SampleError) throw usage(error.message, 'fig conformance --help');
    throw error;
  }
}

function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([^\s:]+):\s*(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) {
        throw usage(`${line} is no header`, `--header 'name: value'`);
      }
      return [name, value];
    }),
  );
}

function usage(message: string, next: string): CommandError {
  return new CommandError(EXIT.usage, 'usage_conformance', message, next);
}

const MARKS = { passed: ['green', '✔'], failed: ['red', '✘'], skipped: ['dim', '-'] } as const;

function reportText(
  { url, capability }: Target,
  results: readonly CheckResult[],
  paint: Paint,
): string {
  const width = Math.max(...results.map(({ check }) => check.length));
  const lines = results.flatMap((result) => {
    const [colour, mark] = MARKS[result.verdict];
    const head = `${paint(colour, mark)} ${result.check.padEnd(width)}  ${result.asks}`;
    if (result.verdict === 'passed') return [head];
    if (result.verdict === 'skipped') return [`${head} (not tried: ${result.reason})`];
    return [head, `    ${result.reason}`, `    ${paint('dim', 'do:')} ${result.remedy}`];
  });
  const counted = (verdict: CheckResult['verdict']): number =>
    results.filter((result) => result.verdict === verdict).length;
  const of = capability === '' ? '' : `  ${capability}`;
  const sum = `${counted('passed')} passed, ${counted('failed')} failed, ${counted('skipped')} not tried`;
  return [paint('bold', `${url}${of}`), ...lines, sum].join('\n');
}
