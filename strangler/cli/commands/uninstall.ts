import { openEachSide } from '../../engine/index.ts';
import type { DataDeclaration } from '../../engine/index.ts';
import type { SideDatabase } from '../../side-database.ts';
import type { SideName } from '../../side.ts';
import { uninstallCapability } from '../../uninstall/index.ts';
import type { UninstallOutcome } from '../../uninstall/index.ts';
import { declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../exit.ts';
import type { Output } from '../output.ts';

interface UninstallWords {
  readonly yes: boolean;
  readonly strand: boolean;
}

/** Takes everything of Fig out of both databases of a capability, or of all. */
export async function uninstall(
  context: Context,
  output: Output,
  capability: string | undefined,
  { yes, strand }: UninstallWords,
): Promise<void> {
  const declarations = declarationsFor(context, capability);
  const names = declarations.map(({ mapping }) => mapping.capability);
  await refuseWhileEngineAnswers(context);
  if (!yes) await confirm(output, names);
  const capabilities: { capability: string; outcome: string; sides: readonly SideName[] }[] = [];
  for (const declaration of declarations) {
    const { capability: name } = declaration.mapping;
    const result = await uninstallOne(declaration, strand);
    if (result.outcome === 'refused') {
      throw new CommandError(EXIT.refused, result.code, result.reason, result.next, {
        capability: name,
      });
    }
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
  const engine = new EngineClient(context.engineUrl, 0, () => undefined);
  if ((await engine.status()) === undefined) return;
  const message = `an engine answers at ${engine.url}, and would put everything back`;
  const next = 'stop it first (Ctrl-C where npm start runs)';
  throw new CommandError(EXIT.refused, 'engine_running', message, next);
}

async function confirm(output: Output, names: readonly string[]): Promise<void> {
  const question = `Remove everything of Fig from the databases of ${names.join(' and ')}?`;
  const answer = await output.confirm(question);
  if (answer === true) return;
  if (answer === false) throw new CommandError(EXIT.failed, 'declined', 'nothing was removed');
  const message = 'nobody is there to confirm it; nothing was removed';
  throw new CommandError(EXIT.usage, 'not_confirmed', message, 'fig uninstall --yes');
}

async function uninstallOne(
  declaration: DataDeclaration,
  strand: boolean,
): Promise<UninstallOutcome> {
  const { legacy, extracted } = openEachSide(declaration);
  try {
    for (const side of [legacy, extracted]) if (side instanceof Error) throw side;
    const sides = { legacy, extracted } as Readonly<Record<SideName, SideDatabase>>;
    const { capability } = declaration.mapping;
    return await uninstallCapability({ capability, sides, strand });
  } finally {
    for (const side of [legacy, extracted]) if (!(side instanceof Error)) side.close();
  }
}
