import { START_COMMAND } from '../../../chassis/index.ts';
import type { Command } from 'commander';
import { ALL, patience, parsePositive, addCommand, REASON, YES } from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { openEachSide } from '../../engine/index.ts';
import type { DataDeclaration } from '../../engine/index.ts';
import { encodeRow } from '../../mapping/index.ts';
import { aggregatesOf } from '../../replication/parked/index.ts';
import type { ParkedAggregate } from '../../replication/parked/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { plural, someOf } from '../../wording.ts';
import { change } from '../as-leader.ts';
import { ago, CommandError, confirmed, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Intent, Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { declarationOf, declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { step } from '../../engine/next-step.ts';

const LOOK_MS = 20;

/** What is parked of one capability, and where. */
export interface ParkedOfCapability {
  readonly capability: string;
  readonly sides: Readonly<Record<SideName, SideDatabase>>;
  /** The side that could not take it. */
  readonly at: SideName;
  readonly aggregates: readonly ParkedAggregate[];
}

interface SkipOptions extends OutputOptions {
  readonly yes: boolean;
}

interface RetryOptions extends Timed {
  readonly yes: boolean;
}

/** Declares `fig parked`. */
export function addParked(program: Command, run: Run): void {
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
  addCommand(parked, 'list', {
    does: 'list what is parked, and why; needs no engine',
    examples: ['fig parked list', 'fig parked list payment'],
    isDefault: true,
  })
    .argument('[capability]', ALL)
    .action((capability: string | undefined, options: OutputOptions) =>
      run(options, (context, output) => listParked(context, output, capability)),
    );
  addCommand(parked, 'show', {
    does: 'show the parked changes of one aggregate, without secrets',
    examples: ['fig parked show payment 3'],
  })
    .argument('<capability>')
    .argument('<id>', 'as the list shows it', parsePositive)
    .action((capability: string, id: number, options: OutputOptions) =>
      run(options, (context, output) => showParked(context, output, capability, id)),
    );
  addCommand(parked, 'retry', {
    does: "try again, with the owner's rows as they are now",
    examples: ['fig parked retry payment', 'fig parked retry payment 3'],
  })
    .argument('<capability>')
    .argument('[id]', ALL, parsePositive)
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('give up waiting; it stays in the feed', 10_000))
    .action((capability: string, id: number | undefined, options: RetryOptions) =>
      run(options, (context, output) => retry(context, output, capability, id, options)),
    );
  addCommand(parked, 'skip', {
    does: 'forget what is parked: the other side goes without, until the row changes again',
    examples: ['fig parked skip payment 3 --yes'],
  })
    .argument('<capability>')
    .argument('<id>', 'as the list shows it', parsePositive)
    .option(...YES, false)
    .option(...REASON)
    .action((capability: string, id: number, options: SkipOptions) =>
      run(options, (context, output) => skip(context, output, capability, id, options)),
    );
}

/** Lists what could not be applied, by aggregate; reads the databases, needs no engine. */
async function listParked(
  context: Context,
  output: Output,
  capability: string | undefined,
): Promise<void> {
  const parked: (ParkedAggregate & { readonly capability: string })[] = [];
  for (const declaration of declarationsFor(context, capability)) {
    await withParked(declaration, async ({ capability: name, aggregates }) => {
      parked.push(...aggregates.map((one) => ({ capability: name, ...one })));
    });
  }
  const names = [...new Set(parked.map((one) => one.capability))];
  const next = names.map((name) =>
    step(`fig parked retry ${name}`, "once the owner's rows are mended"),
  );
  output.result(
    { parked },
    () => (parked.length === 0 ? 'nothing is parked' : listText(parked)),
    next,
  );
}

/** Shows one aggregate's parked changes with their images. */
export async function showParked(
  context: Context,
  output: Output,
  capability: string,
  id: number,
): Promise<void> {
  await withParked(declarationOf(context, capability), async (found) => {
    const one = pick(found, id);
    const next = [
      step(`fig parked retry ${capability} ${id}`, "once the owner's row is mended"),
      step(`fig parked skip ${capability} ${id} --yes`, 'the other side goes without it'),
    ];
    output.result({ capability, ...one }, () => showText(one), next);
  });
}

/**
 * Has the owner's rows tried again, as they are now, and waits until that was done.
 * @throws CommandError when something is still parked, or no engine does it in time
 */
export async function retry(
  context: Context,
  output: Output,
  capability: string,
  id: number | undefined,
  { yes, timeout }: RetryOptions,
): Promise<void> {
  await withParked(declarationOf(context, capability), async (found) => {
    const chosen = id === undefined ? found.aggregates : [pick(found, id)];
    const owner = found.sides[otherSide(found.at)];
    const target = found.sides[found.at];
    if (chosen.length > 0) {
      const which = id === undefined ? '' : ` ${id}`;
      const command = `fig parked retry ${capability}${which}`;
      await confirmed(output, { look: () => retryIntent(chosen, found.at), yes, command });
    }
    const roots = chosen.map(({ root }) => root);
    const order = { kind: 'retry-parked', side: found.at, roots } as const;
    const { position = null } =
      chosen.length === 0 ? { position: 0 } : await change(context, output, capability, order);
    if (position === null) {
      const message = `${owner.side} does not own ${capability}, so its rows say nothing`;
      throw new CommandError(EXIT.refused, 'not_owner', message, `fig journal ${capability}`);
    }
    await applied(target, position, timeout);
    const left = aggregatesOf(await target.parked.list()).filter(({ root }) =>
      roots.includes(root),
    );
    const done = chosen.length - left.length;
    const next =
      left.length === 0
        ? []
        : [step(`fig parked list ${capability}`, 'some still have no way to the other side')];
    output.result(
      { capability, tried: chosen.length, applied: done, parked: left },
      () =>
        [`${plural(done, 'aggregate')} of ${chosen.length} applied`, ...left.map(showText)].join(
          '\n',
        ),
      next,
    );
    if (left.length === 0) return;
    const message =
      'the owner has to be mended first: its rows still have no way to the other side';
    throw new CommandError(EXIT.failed, 'still_parked', message, `fig parked list ${capability}`);
  });
}

function retryIntent(chosen: readonly ParkedAggregate[], at: SideName): Intent {
  const changes = chosen.reduce((sum, one) => sum + one.changes.length, 0);
  const what = `${plural(chosen.length, 'aggregate')} with ${plural(changes, 'parked change')}`;
  return {
    will: `${what}: the owner's rows, as they are now, would be brought to ${at}: ${someOf(chosen.map(({ root }) => root))}`,
    question: `Try them again?`,
  };
}

/** Forgets what is parked of an aggregate: its rows stay different until they change again. */
export async function skip(
  context: Context,
  output: Output,
  capability: string,
  id: number,
  { yes }: SkipOptions,
): Promise<void> {
  await withParked(declarationOf(context, capability), async (found) => {
    const one = pick(found, id);
    const changes = plural(one.changes.length, 'change');
    await confirmed(output, {
      look: () => ({
        will: `${found.at} goes without, and a full comparison is demanded before the next handover`,
        question: `Lose ${changes} of ${one.root} on ${found.at}?`,
      }),
      yes,
      command: `fig parked skip ${capability} ${id}`,
    });
    const order = { kind: 'skip-parked', side: found.at, roots: [one.root] } as const;
    const { skipped = 0 } = await change(context, output, capability, order);
    const next = `fig reconcile ${capability}`;
    output.result(
      { capability, root: one.root, skipped },
      () =>
        `${plural(skipped, 'change')} of ${one.root} skipped; ${found.at} differs there until the ` +
        `row changes again\nnext: ${next}`,
      [step(next, 'shows what differs now')],
    );
  });
}

/** Opens both sides of a capability for work on what is parked. @throws when one can't be opened */
export async function withParked(
  declaration: DataDeclaration,
  work: (found: ParkedOfCapability) => Promise<void>,
): Promise<void> {
  const { legacy, extracted } = openEachSide(declaration);
  try {
    for (const side of [legacy, extracted]) if (side instanceof Error) throw side;
    const sides = { legacy, extracted } as ParkedOfCapability['sides'];
    const { capability } = declaration.mapping;
    const at = await parkedAt(sides);
    const aggregates = at === null ? [] : aggregatesOf(await sides[at].parked.list());
    await work({ capability, sides, at: at ?? 'extracted', aggregates });
  } finally {
    for (const side of [legacy, extracted]) if (!(side instanceof Error)) await side.close();
  }
}

/** Only one side is ever the target; where nothing is installed, nothing is parked. */
async function parkedAt(sides: ParkedOfCapability['sides']): Promise<SideName | null> {
  for (const side of [sides.extracted, sides.legacy]) {
    if ((await side.installation()) !== undefined && (await side.parked.count()) > 0)
      return side.side;
  }
  return null;
}

function pick({ capability, aggregates }: ParkedOfCapability, id: number): ParkedAggregate {
  const one = aggregates.find((candidate) => candidate.id === id);
  if (one) return one;
  const message = `nothing is parked of ${capability} under ${id}`;
  throw new CommandError(EXIT.usage, 'not_parked', message, `fig parked list ${capability}`);
}

async function applied(target: SideDatabase, position: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while ((await target.store.appliedPosition()) < position) {
    if (performance.now() > deadline) {
      const message = `not tried within ${timeoutMs / 1000} s: no engine brings changes to ${target.side}`;
      throw new CommandError(
        EXIT.timedOut,
        'timed_out',
        `${message}; it is in the feed, and the next one will`,
        START_COMMAND,
      );
    }
    await delay(LOOK_MS);
  }
}

function listText(parked: readonly (ParkedAggregate & { readonly capability: string })[]): string {
  const rows = parked.map(({ capability, id, root, changes, since, reason }) => [
    capability,
    String(id),
    root,
    plural(changes.length, 'change'),
    ago(Date.now() - since),
    reason,
  ]);
  const [first] = parked;
  const remedy = `mend the owner's row, then: fig parked retry ${first?.capability ?? ''}`;
  return `${table(rows)}\n${remedy}`;
}

function showText({ id, root, reason, attempts, changes }: ParkedAggregate): string {
  const lines = changes.map(({ position, op, table: name, key, image }) => [
    String(position),
    op,
    name,
    image === null ? encodeRow(key) : encodeRow(image),
  ]);
  return [`${id}  ${root}  tried ${plural(attempts, 'time')}: ${reason}`, table(lines, '  ')].join(
    '\n',
  );
}
