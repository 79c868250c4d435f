import { Command, InvalidArgumentError } from 'commander';
import { backfill } from './commands/backfill.ts';
import { check } from './commands/check.ts';
import { setFlag, showFlags } from './commands/flags.ts';
import { handOver } from './commands/handover.ts';
import { journal } from './commands/journal.ts';
import { listParked, retry, showParked, skip } from './commands/parked.ts';
import { reconcile } from './commands/reconcile.ts';
import { status } from './commands/status.ts';
import { uninstall } from './commands/uninstall.ts';
import type { Context } from './context.ts';
import type { Output } from './output.ts';

/** Gives a command its surroundings, once its words are understood. */
export type Run = (
  json: boolean,
  work: (context: Context, output: Output) => Promise<void>,
) => Promise<void>;

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value * 1_000;
  throw new InvalidArgumentError('Give a number of seconds above 0.');
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a whole number above 0.');
}

function percent(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 100) return value;
  throw new InvalidArgumentError('Give a share above 0 and up to 100.');
}

/** The words that `fig` understands. */
export function createProgram(run: Run): Command {
  const program = new Command('fig')
    .description('Moves capabilities out of a running monolith, and back.')
    .showHelpAfterError('(fig --help shows what there is)')
    .addHelpText('after', EXAMPLES);
  addStatus(program, run);
  addCheck(program, run);
  addCopying(program, run);
  addFlags(program, run);
  addHandovers(program, run);
  addParked(program, run);
  addUninstall(program, run);
  program
    .command('journal')
    .argument('[capability]', 'all of them when left out')
    .description('tell the newest handovers step by step; needs no engine')
    .option('-n, --limit <count>', 'how many handovers', positive, 10)
    .option('--json', JSON_HELP, false)
    .action((capability: string | undefined, { limit, json }: { limit: number; json: boolean }) =>
      run(json, (context, output) => journal(context, output, capability, limit)),
    );
  return program;
}

const JSON_HELP = 'print JSON with a schemaVersion';

function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('show where every capability is: stage, owner, shares, lag, last handover')
    .option('-w, --watch', 'show it again every second', false)
    .option('--json', JSON_HELP, false)
    .addHelpText('after', '\nWithout an engine, the databases and flags are read themselves.')
    .action(({ watch, json }: { watch: boolean; json: boolean }) =>
      run(json, (context, output) => status(context, output, { watch })),
    );
}

interface CheckWords {
  readonly ddl: boolean;
  readonly json: boolean;
}

function addCheck(program: Command, run: Run): void {
  program
    .command('check')
    .argument('[capability]', 'all of them when left out')
    .description(
      'look for a reason why a mapping loses something: in the schemas, in the types, and by taking ' +
        'every row there and back; reads only, needs no engine; exit 3 when it is refused',
    )
    .option(
      '--ddl',
      'print all that installing creates, and the grants it needs; tries no rows',
      false,
    )
    .option('--json', JSON_HELP, false)
    .addHelpText('after', '\nExamples:\n  fig check\n  fig check inventory --ddl > review.sql')
    .action((capability: string | undefined, { ddl, json }: CheckWords) =>
      run(json, (context, output) => check(context, output, capability, { ddl })),
    );
}

interface Timed {
  readonly timeout: number;
  readonly json: boolean;
}

interface ReconcileWords extends Timed {
  readonly sample?: number;
  readonly repair: boolean;
}

function addCopying(program: Command, run: Run): void {
  program
    .command('backfill')
    .argument('<capability>')
    .description(
      "copy the owner's rows to the other side, while both are in use; goes on where it stopped",
    )
    .option('--restart', 'copy everything again', false)
    .option('--timeout <seconds>', 'give up waiting; the copy goes on', seconds, 600_000)
    .option('--json', JSON_HELP, false)
    .addHelpText('after', '\nExample:\n  fig backfill inventory')
    .action((capability: string, { restart, timeout, json }: Timed & { restart: boolean }) =>
      run(json, (context, output) =>
        backfill(context, output, capability, { restart, timeoutMs: timeout }),
      ),
    );
  program
    .command('reconcile')
    .argument('<capability>')
    .description('compare both sides row by row, while both are in use; exit 1 when they differ')
    .option('--sample <percent>', 'compare only about so many of the rows', percent)
    .option('--repair', "bring the owner's rows over once more where the sides differ", false)
    .option('--timeout <seconds>', 'give up waiting', seconds, 600_000)
    .option('--json', JSON_HELP, false)
    .addHelpText(
      'after',
      '\nExamples:\n  fig reconcile inventory --json\n  fig reconcile inventory --repair',
    )
    .action((capability: string, { sample, repair, timeout, json }: ReconcileWords) =>
      run(json, (context, output) =>
        reconcile(context, output, capability, { sample, repair, timeoutMs: timeout }),
      ),
    );
}

function addParked(program: Command, run: Run): void {
  const parked = program
    .command('parked')
    .description('see to changes that could not be applied; each keeps back its own aggregate only')
    .addHelpText(
      'after',
      '\nExamples:\n  fig parked\n  fig parked show payment 3\n  fig parked retry payment\n' +
        '  fig parked skip payment 3 --yes',
    );
  parked
    .command('list', { isDefault: true })
    .argument('[capability]', 'all of them when left out')
    .description('list what is parked, and why; needs no engine')
    .option('--json', JSON_HELP, false)
    .action((capability: string | undefined, { json }: { json: boolean }) =>
      run(json, (context, output) => listParked(context, output, capability)),
    );
  parked
    .command('show')
    .argument('<capability>')
    .argument('<id>', 'as the list shows it', positive)
    .description('show the parked changes of one aggregate, without secrets')
    .option('--json', JSON_HELP, false)
    .action((capability: string, id: number, { json }: { json: boolean }) =>
      run(json, (context, output) => showParked(context, output, capability, id)),
    );
  parked
    .command('retry')
    .argument('<capability>')
    .argument('[id]', 'all of them when left out', positive)
    .description("try again, with the owner's rows as they are now")
    .option('--timeout <seconds>', 'give up waiting; it stays in the feed', seconds, 10_000)
    .option('--json', JSON_HELP, false)
    .action((capability: string, id: number | undefined, { timeout, json }: Timed) =>
      run(json, (context, output) =>
        retry(context, output, capability, { id, timeoutMs: timeout }),
      ),
    );
  parked
    .command('skip')
    .argument('<capability>')
    .argument('<id>', 'as the list shows it', positive)
    .description('forget what is parked: the other side goes without, until the row changes again')
    .option('--yes', 'it is meant', false)
    .option('--json', JSON_HELP, false)
    .action((capability: string, id: number, { yes, json }: { yes: boolean; json: boolean }) =>
      run(json, (context, output) => skip(context, output, capability, { id, yes })),
    );
}

interface UninstallWords {
  readonly yes: boolean;
  readonly strandData: boolean;
  readonly json: boolean;
}

function addUninstall(program: Command, run: Run): void {
  program
    .command('uninstall')
    .argument('[capability]', 'all of them when left out')
    .description(
      'remove every table and trigger of Fig from both databases, whose schemas are then what they ' +
        'were before; needs the engine stopped',
    )
    .option('--yes', 'do not ask', false)
    .option(
      '--strand-data',
      'also where legacy is not the owner: the monolith goes on with the rows it has, old as they are',
      false,
    )
    .option('--json', JSON_HELP, false)
    .addHelpText('after', '\nExamples:\n  fig uninstall\n  fig uninstall inventory --yes')
    .action((capability: string | undefined, { yes, strandData, json }: UninstallWords) =>
      run(json, (context, output) =>
        uninstall(context, output, capability, { yes, strand: strandData }),
      ),
    );
}

function addFlags(program: Command, run: Run): void {
  const flags = program
    .command('flags')
    .description(
      'show and set what is asked for: shares of reads, comparisons, the owner of writes',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  fig flags\n  fig flags set inventory.reads 25\n  fig flags set inventory.writes on',
    );
  flags
    .command('show', { isDefault: true })
    .description('show all flags')
    .option('--json', JSON_HELP, false)
    .action(({ json }: { json: boolean }) => run(json, showFlags));
  flags
    .command('set')
    .argument('<name>', 'such as inventory.reads')
    .argument('<value>', 'a share from 0 to 100, on or off')
    .description('set one flag; the system sees it at once')
    .option('--json', JSON_HELP, false)
    .action((name: string, value: string, { json }: { json: boolean }) =>
      run(json, (context, output) => setFlag(context, output, name, value)),
    );
}

function addHandovers(program: Command, run: Run): void {
  const verbs = [
    ['switch', 'extracted', 'let the extracted service own the writes, and set the flag'],
    ['reverse', 'legacy', 'give the writes back to the monolith, and set the flag'],
  ] as const;
  for (const [verb, to, description] of verbs) {
    program
      .command(verb)
      .argument('<capability>')
      .description(description)
      .option('--dry-run', 'show the gates and the steps, and change nothing', false)
      .option(
        '--timeout <seconds>',
        'give up waiting; the handover may still be done',
        seconds,
        30_000,
      )
      .option('--json', JSON_HELP, false)
      .addHelpText(
        'after',
        `\nExamples:\n  fig ${verb} inventory --dry-run\n  fig ${verb} inventory`,
      )
      .action((capability: string, { dryRun, timeout, json }: Timed & { dryRun: boolean }) =>
        run(json, (context, output) =>
          handOver(context, output, capability, to, { dryRun, timeoutMs: timeout }),
        ),
      );
  }
}

const EXAMPLES = `
Examples:
  fig status                         where everything is
  fig check                          whether the mappings lose anything
  fig backfill inventory             copy, then follow
  fig flags set inventory.reads 10   a tenth of the customers read from the service
  fig reconcile inventory            compare row by row
  fig switch inventory               the service owns the writes
  fig reverse inventory              the monolith owns them again

The system is found through $FIG_DATA_DIR/system.json (.fig by default), or by the variables
ENGINE_URL, *_DATABASE_URL, FIG_FLAGS_FILE and FIG_CONFIG.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a gate, 4 timed out, 130 interrupted.`;
