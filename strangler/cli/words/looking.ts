import type { Command } from 'commander';
import type { OutputOptions } from '../output.ts';
import { ALL, positive, verb, YES } from '../verb.ts';
import type { Run } from '../verb.ts';

interface StatusWords extends OutputOptions {
  readonly watch: boolean;
}

interface CheckWords extends OutputOptions {
  readonly ddl: boolean;
  readonly accept: boolean;
  readonly yes: boolean;
}

interface ExplainWords extends OutputOptions {
  readonly customer?: string;
}

interface OpenWords extends OutputOptions {
  readonly print: boolean;
}

interface JournalWords extends OutputOptions {
  readonly limit: number;
}

/** The commands that only look. */
export function addLooking(program: Command, run: Run): void {
  addStatus(program, run);
  addCheck(program, run);
  addExplain(program, run);
  addJournal(program, run);
  addOpen(program, run);
  addConfig(program, run);
}

function addStatus(program: Command, run: Run): void {
  verb(program, 'status', {
    does:
      'show where every capability is: stage, owner, shares, lag, last handover; without an engine, ' +
      'the databases and flags are read themselves',
    examples: ['fig status', 'fig status payment', 'fig status -w', 'fig status --json'],
  })
    .argument('[capability]', ALL)
    .option('-w, --watch', 'go on showing it, until Ctrl-C', false)
    .action((capability: string | undefined, { watch, ...wishes }: StatusWords) =>
      run(wishes, async (context, output) => {
        const { status } = await import('../commands/status.ts');
        await status(context, output, capability, { watch });
      }),
    );
}

function addCheck(program: Command, run: Run): void {
  verb(program, 'check', {
    does:
      'verify that a mapping is lossless: by the schemas, by the types, and by translating ' +
      'every row there and back; reads only, needs no engine; exit 3 when it refuses the mapping',
    examples: [
      'fig check',
      'fig check inventory --ddl > review.sql',
      'fig check inventory --accept',
    ],
  })
    .argument('[capability]', ALL)
    .option(
      '--ddl',
      'print all that installing creates, and the grants it needs; tries no rows',
      false,
    )
    .option(
      '--accept',
      'accept the schemas as they are now, if they fit: after a table was changed',
      false,
    )
    .option(...YES, false)
    .action((capability: string | undefined, { ddl, accept, yes, ...wishes }: CheckWords) =>
      run(wishes, async (context, output) => {
        const { check } = await import('../commands/check.ts');
        await check(context, output, capability, { ddl, accept, yes });
      }),
    );
}

function addExplain(program: Command, run: Run): void {
  verb(program, 'explain', {
    does: 'say where the facade would send a request right now, and why; sends nothing',
    examples: [
      'fig explain GET /api/inventory/SHIP-001 --customer CORK',
      'fig explain POST /api/orders',
    ],
  })
    .argument('<method>', 'such as GET')
    .argument('<path>', 'such as /api/items/42')
    .option('--customer <id>', 'who asks: shares of reads go by customer')
    .action((method: string, path: string, { customer, ...wishes }: ExplainWords) =>
      run(wishes, async (context, output) => {
        const { explain } = await import('../commands/explain.ts');
        await explain(context, output, { method, path, customer });
      }),
    );
}

function addOpen(program: Command, run: Run): void {
  verb(program, 'open', {
    does:
      "open the facade's admin port in a browser, by a link that is good once and lets this browser " +
      'in for twelve hours',
    examples: ['fig open', 'fig open --print'],
  })
    .option('--print', 'print the link, and start no browser', false)
    .action(({ print, ...wishes }: OpenWords) =>
      run(wishes, async (context, output) => {
        const { open } = await import('../commands/open.ts');
        await open(context, output, { print });
      }),
    );
}

function addJournal(program: Command, run: Run): void {
  verb(program, 'journal', {
    does: 'tell the newest handovers step by step; needs no engine',
    examples: ['fig journal', 'fig journal inventory --limit 1'],
  })
    .argument('[capability]', ALL)
    .option('--limit <count>', 'how many', positive, 5)
    .action((capability: string | undefined, { limit, ...wishes }: JournalWords) =>
      run(wishes, async (context, output) => {
        const { journal } = await import('../commands/journal.ts');
        await journal(context, output, capability, limit);
      }),
    );
}

function addConfig(program: Command, run: Run): void {
  const config = program
    .command('config')
    .description('show the configuration')
    .addHelpText('after', '\nExamples:\n  fig config print\n  fig config print --json');
  verb(config, 'print', {
    does: 'print the configuration and the variables in force, without passwords and tokens',
    examples: ['fig config print', 'fig config print --json'],
  }).action((wishes: OutputOptions) =>
    run(wishes, async (context, output) => {
      const { printConfig } = await import('../commands/config.ts');
      await printConfig(context, output);
    }),
  );
}
