import { Option } from 'commander';
import type { Command } from 'commander';
import type { OutputOptions } from '../output.ts';
import { ALL, DRY_RUN, positive, patience, verb, YES } from '../verb.ts';
import type { Run } from '../verb.ts';
import { addDeadLetters } from './dead-letters.ts';

interface DoctorWordsGiven extends OutputOptions {
  readonly repair: boolean;
  readonly trust?: 'legacy' | 'extracted';
  readonly keep: boolean;
  readonly deleteRows?: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly timeout: number;
}

interface RetryWords extends OutputOptions {
  readonly yes: boolean;
  readonly timeout: number;
}

interface SkipWords extends OutputOptions {
  readonly yes: boolean;
}

interface UninstallWords extends OutputOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly strandData: boolean;
}

/** The commands for what went wrong, and for the end. */
export function addMending(program: Command, run: Run): void {
  addDoctor(program, run);
  const parked = program
    .command('parked')
    .description(
      'manage dead-lettered changes (each blocks only its own aggregate); the same as ' +
        'fig dead-letters --kind change',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  fig parked\n  fig parked show payment 3\n  fig parked retry payment\n' +
        '  fig parked skip payment 3 --yes',
    );
  addParkedViews(parked, run);
  addParkedOrders(parked, run);
  addDeadLetters(program, run);
  addUninstall(program, run);
}

function addDoctor(program: Command, run: Run): void {
  verb(program, 'doctor', {
    does:
      'explain the state of everything and what mends it; works without an engine; exit 0 when all ' +
      'is well, or mended, 1 when something is left, 3 when a person has to decide',
    examples: [
      'fig doctor',
      'fig doctor --repair',
      'fig doctor inventory --repair --trust extracted',
      'fig doctor inventory --repair --trust extracted --keep',
    ],
  })
    .argument('[capability]', ALL)
    .option('--repair', 'repair what needs no decision', false)
    .addOption(
      new Option('--trust <side>', 'with --repair: this side is right, make it the owner').choices([
        'legacy',
        'extracted',
      ]),
    )
    .option(
      '--keep',
      'with --trust: it also takes over the rows that only the other side has',
      false,
    )
    .option(
      '--delete-rows <count>',
      'with --trust: also where so many rows that only the other side has are lost: as the refusal names them',
      positive,
    )
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .addOption(patience('give up waiting', 30_000))
    .action(
      (
        capability: string | undefined,
        { repair, trust, keep, deleteRows, dryRun, yes, timeout, ...wishes }: DoctorWordsGiven,
      ) =>
        run(wishes, async (context, output) => {
          const { doctor } = await import('../commands/doctor.ts');
          await doctor(context, output, capability, {
            repair,
            trust,
            keep,
            deleteRows,
            dryRun,
            yes,
            timeoutMs: timeout,
          });
        }),
    );
}

function addParkedViews(parked: Command, run: Run): void {
  verb(parked, 'list', {
    does: 'list what is parked, and why; needs no engine',
    examples: ['fig parked list', 'fig parked list payment'],
    isDefault: true,
  })
    .argument('[capability]', ALL)
    .action((capability: string | undefined, wishes: OutputOptions) =>
      run(wishes, async (context, output) => {
        const { listParked } = await import('../commands/parked.ts');
        await listParked(context, output, capability);
      }),
    );
  verb(parked, 'show', {
    does: 'show the parked changes of one aggregate, without secrets',
    examples: ['fig parked show payment 3'],
  })
    .argument('<capability>')
    .argument('<id>', 'as the list shows it', positive)
    .action((capability: string, id: number, wishes: OutputOptions) =>
      run(wishes, async (context, output) => {
        const { showParked } = await import('../commands/parked.ts');
        await showParked(context, output, capability, id);
      }),
    );
}

function addParkedOrders(parked: Command, run: Run): void {
  verb(parked, 'retry', {
    does: "try again, with the owner's rows as they are now",
    examples: ['fig parked retry payment', 'fig parked retry payment 3'],
  })
    .argument('<capability>')
    .argument('[id]', ALL, positive)
    .option(...YES, false)
    .addOption(patience('give up waiting; it stays in the feed', 10_000))
    .action((capability: string, id: number | undefined, { yes, timeout, ...wishes }: RetryWords) =>
      run(wishes, async (context, output) => {
        const { retry } = await import('../commands/parked.ts');
        await retry(context, output, capability, { id, yes, timeoutMs: timeout });
      }),
    );
  verb(parked, 'skip', {
    does: 'forget what is parked: the other side goes without, until the row changes again',
    examples: ['fig parked skip payment 3 --yes'],
  })
    .argument('<capability>')
    .argument('<id>', 'as the list shows it', positive)
    .option(...YES, false)
    .action((capability: string, id: number, { yes, ...wishes }: SkipWords) =>
      run(wishes, async (context, output) => {
        const { skip } = await import('../commands/parked.ts');
        await skip(context, output, capability, { id, yes });
      }),
    );
}

function addUninstall(program: Command, run: Run): void {
  verb(program, 'uninstall', {
    does:
      'remove every table and trigger of Fig from both databases, whose schemas are then what they ' +
      'were before; needs the engine stopped',
    examples: ['fig uninstall --dry-run', 'fig uninstall', 'fig uninstall inventory --yes'],
  })
    .argument('[capability]', ALL)
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(
      '--strand-data',
      'also where legacy is not the owner: the monolith goes on with the rows it has, old as they are',
      false,
    )
    .action(
      (capability: string | undefined, { yes, dryRun, strandData, ...wishes }: UninstallWords) =>
        run(wishes, async (context, output) => {
          const { uninstall } = await import('../commands/uninstall.ts');
          await uninstall(context, output, capability, { yes, dryRun, strand: strandData });
        }),
    );
}
