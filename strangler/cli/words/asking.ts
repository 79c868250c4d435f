import type { Command } from 'commander';
import type { OutputOptions } from '../output.ts';
import { DRY_RUN, verb, YES } from '../verb.ts';
import type { Run } from '../verb.ts';

interface ChangeWords extends OutputOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly overwrite: boolean;
}

interface InitWords extends OutputOptions {
  readonly new: boolean;
  readonly keep: boolean;
  readonly yes: boolean;
}

const OVERWRITE = [
  '--overwrite',
  'also replace strategies and constraints that Fig did not set',
] as const;

/** The commands that set flags: they ask, and the running system does what is safe. */
export function addAsking(program: Command, run: Run): void {
  addShares(program, run);
  const flags = program
    .command('flags')
    .description(
      'show and set what is asked for: shares of reads, comparisons, the owner of writes',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  fig flags\n  fig flags set inventory.reads 25\n  fig flags set inventory.writes on',
    );
  addFlags(flags, run);
}

function addShares(program: Command, run: Run): void {
  const verbs = [
    [
      'shadow',
      'shadow',
      'have this share of the reads answered by both sides, and the answers compared',
    ],
    ['ramp', 'reads', 'let this share of the customers read from the extracted service'],
  ] as const;
  for (const [name, kind, does] of verbs) {
    verb(program, name, {
      does: `${does}; refused while the other side has no whole copy, 0 never is`,
      examples: [`fig ${name} inventory 10`, `fig ${name} inventory 0`],
    })
      .argument('<capability>')
      .argument('<share>', 'a whole number from 0 to 100')
      .option(...OVERWRITE, false)
      .option(...DRY_RUN, false)
      .option(...YES, false)
      .action((capability: string, share: string, words: ChangeWords) => {
        const { dryRun, overwrite, yes, ...wishes } = words;
        return run(wishes, async (context, output) => {
          const { setShare } = await import('../commands/share.ts');
          await setShare(context, output, { capability, kind, share, dryRun, overwrite, yes });
        });
      });
  }
}

function addFlags(flags: Command, run: Run): void {
  verb(flags, 'show', {
    does: 'show all flags',
    examples: ['fig flags', 'fig flags --json'],
    isDefault: true,
  }).action((wishes: OutputOptions) =>
    run(wishes, async (context, output) => {
      const { showFlags } = await import('../commands/flags.ts');
      await showFlags(context, output);
    }),
  );
  verb(flags, 'init', {
    does:
      'make the flag file, all off, where there never was one; a flag that is not made yet asks for ' +
      'nothing, so ownership stays where it is',
    examples: ['fig flags init', 'fig flags init --new'],
  })
    .option('--new', 'nothing was ever moved: make the writes flags, too, off', false)
    .option('--keep', 'do nothing where there is a file already', false)
    .option(...YES, false)
    .action(({ new: isNew, keep, yes, ...wishes }: InitWords) =>
      run(wishes, async (context, output) => {
        const { initFlags } = await import('../commands/flags.ts');
        await initFlags(context, output, { isNew, keep, yes });
      }),
    );
  verb(flags, 'set', {
    does: 'set one flag, whatever the state of things is; the system sees it at once',
    examples: ['fig flags set inventory.reads 25', 'fig flags set inventory.writes on'],
  })
    .argument('<name>', 'such as inventory.reads')
    .argument('<value>', 'a share from 0 to 100, on or off')
    .option(...OVERWRITE, false)
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .action((name: string, value: string, { dryRun, overwrite, yes, ...wishes }: ChangeWords) =>
      run(wishes, async (context, output) => {
        const { setFlag } = await import('../commands/flags.ts');
        await setFlag(context, output, { name, value, dryRun, overwrite, yes });
      }),
    );
}
