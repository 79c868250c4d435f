import { Option } from 'commander';
import type { Command } from 'commander';
import { KINDS } from '../dead-letter-kind.ts';
import type { Kind } from '../dead-letter-kind.ts';
import type { OutputOptions } from '../output.ts';
import { patience, verb, YES } from '../verb.ts';
import type { Run } from '../verb.ts';

interface ListWords extends OutputOptions {
  readonly kind?: Kind;
}

interface OneWords extends OutputOptions {
  readonly kind: Kind;
}

interface RetryWords extends OneWords {
  readonly yes: boolean;
  readonly timeout: number;
}

interface DropWords extends OneWords {
  readonly yes: boolean;
}

const ID = "as the list shows it; of a change, its capability's name goes before it";

const kindOption = (does = 'what could not be done; has to be given'): Option =>
  new Option('--kind <kind>', does).choices(KINDS);

/** The commands for what was given up: changes, events of an application, steps of its sagas. */
export function addDeadLetters(program: Command, run: Run): void {
  const letters = program
    .command('dead-letters')
    .description(
      'manage dead letters, which wait for an operator: changes that could not be applied, events that a ' +
        'subscriber could not take, steps of an order that fail for good',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  fig dead-letters\n  fig dead-letters show --kind change payment 3\n' +
        '  fig dead-letters retry --kind step\n  fig dead-letters drop --kind event shipping:0190... --yes',
    );
  addList(letters, run);
  addShow(letters, run);
  addRetry(letters, run);
  addDrop(letters, run);
}

function addList(letters: Command, run: Run): void {
  verb(letters, 'list', {
    does:
      'list dead letters of all kinds, and why they are; needs no engine; exit 1 when a process or a ' +
      'database could not be asked',
    examples: ['fig dead-letters list', 'fig dead-letters list --kind event'],
    isDefault: true,
  })
    .argument('[capability]', 'only changes of this capability')
    .addOption(kindOption('only what could not be done of this kind'))
    .action((capability: string | undefined, { kind, ...wishes }: ListWords) =>
      run(wishes, async (context, output) => {
        const { listDeadLetters } = await import('../commands/dead-letters.ts');
        await listDeadLetters(context, output, { kind, capability });
      }),
    );
}

function addShow(letters: Command, run: Run): void {
  verb(letters, 'show', {
    does: 'show one dead letter with what it is about, without secrets',
    examples: [
      'fig dead-letters show --kind event shipping:0190...',
      'fig dead-letters show --kind change payment 3',
    ],
  })
    .argument('<id...>', ID)
    .addOption(kindOption().makeOptionMandatory())
    .action((names: readonly string[], { kind, ...wishes }: OneWords) =>
      run(wishes, async (context, output) => {
        const { showDeadLetter } = await import('../commands/dead-letters.ts');
        await showDeadLetter(context, output, kind, names);
      }),
    );
}

function addRetry(letters: Command, run: Run): void {
  verb(letters, 'retry', {
    does: 'try again, after the cause is gone',
    examples: [
      'fig dead-letters retry --kind step place:0190...',
      'fig dead-letters retry --kind step',
      'fig dead-letters retry --kind change payment',
    ],
  })
    .argument('[id...]', `${ID}; all of them when left out`)
    .addOption(kindOption().makeOptionMandatory())
    .option(...YES, false)
    .addOption(patience('of changes: give up waiting; they stay in the feed', 10_000))
    .action((names: readonly string[], { kind, yes, timeout, ...wishes }: RetryWords) =>
      run(wishes, async (context, output) => {
        const { retryDeadLetters } = await import('../commands/dead-letters.ts');
        await retryDeadLetters(context, output, { kind, names, yes, timeoutMs: timeout });
      }),
    );
}

function addDrop(letters: Command, run: Run): void {
  verb(letters, 'drop', {
    does:
      'go on without it: of a change, the other side goes without and a full comparison is demanded; an ' +
      'event counts as received; a step as refused, and what came before it is undone where that can be',
    examples: [
      'fig dead-letters drop --kind event shipping:0190... --yes',
      'fig dead-letters drop --kind change payment 3 --yes',
    ],
  })
    .argument('<id...>', ID)
    .addOption(kindOption().makeOptionMandatory())
    .option(...YES, false)
    .action((names: readonly string[], { kind, yes, ...wishes }: DropWords) =>
      run(wishes, async (context, output) => {
        const { dropDeadLetter } = await import('../commands/dead-letters.ts');
        await dropDeadLetter(context, output, { kind, names, yes });
      }),
    );
}
