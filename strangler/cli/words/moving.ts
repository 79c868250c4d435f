import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import type { Watching } from '../commands/shadow-fence.ts';
import type { OutputOptions } from '../output.ts';
import { DRY_RUN, keys, percent, positive, rate, patience, verb, YES } from '../verb.ts';
import type { Run } from '../verb.ts';

interface Timed extends OutputOptions {
  readonly timeout: number;
}

const DELETE_ROWS = [
  '--delete-rows <count>',
  'also where so many rows vanish from the side that is copied to: as the refusal names them',
] as const;

interface BackfillWords extends Timed {
  readonly yes: boolean;
  readonly deleteRows?: number;
  readonly restart: boolean;
  readonly rate?: number | null;
  readonly dryRun: boolean;
}

interface ReconcileWords extends Timed {
  readonly yes: boolean;
  readonly deleteRows?: number;
  readonly sample?: number;
  readonly repair: boolean;
}

interface WatchWords extends OutputOptions {
  readonly yes: boolean;
}

interface HandoverWords extends Timed {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

interface CohortWords extends HandoverWords {
  readonly customers?: readonly string[];
  readonly share?: number;
  readonly withoutFlags: boolean;
}

/** The commands that move a capability: its rows, then its ownership. */
export function addMoving(program: Command, run: Run): void {
  addBackfill(program, run);
  addReconcile(program, run);
  addShadowFence(program, run);
  addHandovers(program, run);
  addAbort(program, run);
  addComplete(program, run);
}

function addBackfill(program: Command, run: Run): void {
  verb(program, 'backfill', {
    does: "copy the owner's rows to the other side, while both are in use; goes on where it stopped",
    examples: [
      'fig backfill inventory',
      'fig backfill inventory --rate 500    slowly; also while it runs',
      'fig backfill inventory --rate off    as fast as live changes allow',
      'fig backfill inventory --restart',
    ],
  })
    .argument('<capability>')
    .option('--restart', 'copy everything again', false)
    .option(...DELETE_ROWS, positive)
    .option('--rate <rows/s>', 'copy so many rows a second at most; off lifts the limit', rate)
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .addOption(patience('give up waiting; the copy goes on', 600_000))
    .action(
      (
        capability: string,
        { restart, rate: limit, dryRun, yes, deleteRows, timeout, ...wishes }: BackfillWords,
      ) =>
        run(wishes, async (context, output) => {
          const { backfill } = await import('../commands/backfill.ts');
          const asked = { restart, rate: limit, dryRun, yes, deleteRows, timeoutMs: timeout };
          await backfill(context, output, capability, asked);
        }),
    );
}

function addReconcile(program: Command, run: Run): void {
  verb(program, 'reconcile', {
    does: 'compare both sides row by row, while both are in use; exit 1 when they differ',
    examples: ['fig reconcile inventory --json', 'fig reconcile inventory --repair'],
  })
    .argument('<capability>')
    .option('--sample <percent>', 'compare only about so many of the rows', percent)
    .option('--repair', "bring the owner's rows over once more where the sides differ", false)
    .option(...DELETE_ROWS, positive)
    .option(...YES, false)
    .addOption(patience('give up waiting', 600_000))
    .action((capability: string, words: ReconcileWords) => {
      const { sample, repair, yes, deleteRows, timeout, ...wishes } = words;
      return run(wishes, async (context, output) => {
        const { reconcile } = await import('../commands/reconcile.ts');
        const asked = { sample, repair, yes, deleteRows, timeoutMs: timeout };
        await reconcile(context, output, capability, asked);
      });
    });
}

function addComplete(program: Command, run: Run): void {
  verb(program, 'complete', {
    does:
      'take the last step, some time after the switch: compare once more, close the way back, rename ' +
      'the legacy tables, and retire the legacy routes; prints what is left to delete',
    examples: ['fig complete inventory --dry-run', 'fig complete inventory'],
  })
    .argument('<capability>')
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .addOption(patience('give up waiting; it goes on', 600_000))
    .action((capability: string, { dryRun, yes, timeout, ...wishes }: HandoverWords) =>
      run(wishes, async (context, output) => {
        const { complete } = await import('../commands/complete.ts');
        await complete(context, output, capability, { dryRun, yes, timeoutMs: timeout });
      }),
    );
}

function addShadowFence(program: Command, run: Run): void {
  verb(program, 'shadow-fence', {
    does:
      "audit the writes to a capability's legacy tables that bypass the application, and refuse " +
      'none: before a handover, for days if you wish; needs no engine',
    examples: ['fig shadow-fence inventory on', 'fig shadow-fence inventory report'],
  })
    .argument('<capability>')
    .addArgument(new Argument('<what>').choices(['on', 'off', 'report']))
    .option(...YES, false)
    .action((capability: string, what: Watching, { yes, ...wishes }: WatchWords) =>
      run(wishes, async (context, output) => {
        const { shadowFence } = await import('../commands/shadow-fence.ts');
        await shadowFence(context, output, capability, what, yes);
      }),
    );
}

function addAbort(program: Command, run: Run): void {
  verb(program, 'abort', {
    does:
      'take a handover back before its commit point: the owner stays the owner; works without an ' +
      'engine, too; exit 3 when there is nothing to take back, or it is too late',
    examples: ['fig abort inventory --dry-run', 'fig abort inventory'],
  })
    .argument('<capability>')
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .addOption(patience('give up waiting', 10_000))
    .action((capability: string, { dryRun, yes, timeout, ...wishes }: HandoverWords) =>
      run(wishes, async (context, output) => {
        const { abort } = await import('../commands/abort.ts');
        await abort(context, output, capability, { dryRun, yes, timeoutMs: timeout });
      }),
    );
}

function addHandovers(program: Command, run: Run): void {
  const verbs = [
    ['switch', 'extracted', 'let the extracted service own the writes, and set the flag'],
    ['reverse', 'legacy', 'give the writes back to the monolith, and set the flag'],
  ] as const;
  for (const [name, to, does] of verbs) {
    verb(program, name, {
      does: `${does}; looks at the gates, then asks; --yes where no terminal is`,
      examples: [
        `fig ${name} inventory --dry-run`,
        `fig ${name} inventory`,
        `fig ${name} payment --customers CUST-1,CUST-2    only theirs, ahead of the rest`,
        `fig ${name} payment --share 10                   those of one customer in ten`,
      ],
    })
      .argument('<capability>')
      .addOption(
        new Option('--customers <keys>', 'move only these, separated by commas')
          .argParser(keys)
          .conflicts('share'),
      )
      .option('--share <percent>', 'move only so many of those who have rows by now', percent)
      .option(
        '--without-flags',
        'leave the flag as it is, also where it can not be read: it counts again once it is turned',
        false,
      )
      .option('--dry-run', 'show gates, steps and the hold to expect; change nothing', false)
      .option(...YES, false)
      .addOption(patience('give up waiting; the handover may still be done', 30_000))
      .action((capability: string, words: CohortWords) => {
        const { dryRun, yes, timeout, customers, share, withoutFlags, ...wishes } = words;
        return run(wishes, async (context, output) => {
          const { handOver } = await import('../commands/handover.ts');
          const asked = { dryRun, yes, customers, share, withoutFlags, timeoutMs: timeout };
          await handOver(context, output, capability, to, asked);
        });
      });
  }
}
