import { START_COMMAND } from '../../../chassis/index.ts';
import type { Command } from 'commander';
import { ALL, DRY_RUN, addCommand, REASON, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { openEachSide } from '../../engine/index.ts';
import type { DataDeclaration } from '../../engine/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';
import { openInspectors } from '../../sides/sides.ts';
import { uninstallCapability, uninstallRefusal } from '../../uninstall/index.ts';
import type { UninstallOutcome, UninstallRefusal } from '../../uninstall/index.ts';
import { CommandError, confirmed, EXIT, stepsText } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';

interface UninstallOptions extends OutputOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly strandData: boolean;
}

/** Declares `fig uninstall`. */
export function addUninstall(program: Command, run: Run): void {
  addCommand(program, 'uninstall', {
    does:
      'remove every table and trigger of Fig from both databases, whose schemas are then what they ' +
      'were before; needs the engine stopped',
    examples: ['fig uninstall --dry-run', 'fig uninstall', 'fig uninstall inventory --yes'],
  })
    .argument('[capability]', ALL)
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(...REASON)
    .option(
      '--strand-data',
      'also where legacy is not the owner: the monolith goes on with the rows it has, old as they are',
      false,
    )
    .action((capability: string | undefined, options: UninstallOptions) =>
      run(options, (context, output) => uninstall(context, output, capability, options)),
    );
}

/** Takes everything of Fig out of both databases of a capability, or of all. */
async function uninstall(
  context: Context,
  output: Output,
  capability: string | undefined,
  { yes, dryRun, strandData: strand }: UninstallOptions,
): Promise<void> {
  const declarations = declarationsFor(context, capability);
  const names = declarations.map(({ mapping }) => mapping.capability);
  if (dryRun) await plan(declarations, output);
  await refuseWhileEngineAnswers(context);
  // What would be removed is shown, and then refused as the command itself would be.
  for (const declaration of declarations) await refuseAsIs(declaration, strand);
  if (dryRun) return;
  const words = `${capability === undefined ? '' : ` ${capability}`}${strand ? ' --strand-data' : ''}`;
  await confirmed(output, {
    look: async () => ({
      will: stepsText((await plansOf(declarations)).flatMap((one) => one.steps)),
      question: `Remove everything of Fig from the databases of ${names.join(' and ')}?`,
    }),
    yes,
    command: `fig uninstall${words}`,
  });
  const capabilities: { capability: string; outcome: string; sides: readonly SideName[] }[] = [];
  for (const declaration of declarations) {
    const { capability: name } = declaration.mapping;
    const result = await uninstallOne(declaration, strand);
    if (result.outcome === 'refused') throw refused(name, result);
    const sides = result.outcome === 'removed' ? result.sides : [];
    capabilities.push({ capability: name, outcome: result.outcome, sides });
  }
  output.result({ capabilities }, () =>
    capabilities
      .map(({ capability: name, sides }) =>
        sides.length === 0
          ? `${name}: nothing of Fig was there`
          : `${name}: removed from ${sides.join(' and ')}; the schemas are what they were before`,
      )
      .join('\n'),
  );
}

/** It would put everything back. */
async function refuseWhileEngineAnswers(context: Context): Promise<void> {
  const engine = new EngineClient(context, 0, () => undefined);
  if ((await engine.status()) === undefined) return;
  const message =
    `an engine answers at ${engine.url}, and would put everything back; stop it first ` +
    `(Ctrl-C where ${START_COMMAND} runs)`;
  throw new CommandError(EXIT.refused, 'engine_running', message, 'fig uninstall');
}

/** What would be removed, by name. */
async function plan(declarations: readonly DataDeclaration[], output: Output): Promise<void> {
  const capabilities = await plansOf(declarations);
  const steps = capabilities.flatMap((one) => one.steps);
  output.result({ outcome: 'planned', capabilities }, () => stepsText(steps));
}

interface Plan {
  readonly capability: string;
  readonly steps: readonly string[];
}

function plansOf(declarations: readonly DataDeclaration[]): Promise<readonly Plan[]> {
  return Promise.all(declarations.map((declaration) => planOf(declaration)));
}

async function planOf({ mapping, urls }: DataDeclaration): Promise<Plan> {
  const { capability } = mapping;
  const inspectors = await openInspectors(mapping, urls);
  try {
    const steps: string[] = [];
    for (const side of ['legacy', 'extracted'] as const) {
      const all = (await inspectors[side].creates()).length;
      steps.push(
        `remove the tables and triggers of ${capability} from ${side}, ${all} of them where all are there`,
      );
    }
    return { capability, steps };
  } finally {
    await inspectors.legacy.close();
    await inspectors.extracted.close();
  }
}

function uninstallOne(declaration: DataDeclaration, strand: boolean): Promise<UninstallOutcome> {
  return withBoth(declaration, (sides) =>
    uninstallCapability({ capability: declaration.mapping.capability, sides, strand }),
  );
}

/** @throws CommandError where the command itself would refuse */
async function refuseAsIs(declaration: DataDeclaration, strand: boolean): Promise<void> {
  const { capability } = declaration.mapping;
  const refusal = await withBoth(declaration, (sides) =>
    uninstallRefusal({ capability, sides, strand }),
  );
  if (refusal) throw refused(capability, refusal);
}

function refused(capability: string, { code, reason, next }: UninstallRefusal): CommandError {
  return new CommandError(EXIT.refused, code, reason, next, { capability });
}

async function withBoth<T>(
  declaration: DataDeclaration,
  use: (sides: Readonly<Record<SideName, SideDatabase>>) => Promise<T>,
): Promise<T> {
  const { legacy, extracted } = openEachSide(declaration);
  try {
    for (const side of [legacy, extracted]) if (side instanceof Error) throw side;
    return await use({ legacy, extracted } as Readonly<Record<SideName, SideDatabase>>);
  } finally {
    for (const side of [legacy, extracted]) if (!(side instanceof Error)) await side.close();
  }
}
