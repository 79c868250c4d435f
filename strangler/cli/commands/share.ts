import type { Command } from 'commander';
import { DRY_RUN, OVERWRITE, addCommand, REASON, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { shareRefusal } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { nextSteps } from '../../engine/next-step.ts';
import type { NextStep } from '../../engine/next-step.ts';
import { readFlags } from '../read-flags.ts';
import { findStatus } from '../read-status.ts';
import type { FoundStatus } from '../read-status.ts';
import { known } from '../suggest.ts';
import { agreedOnFlag, changeFlag, changeText, shareFrom } from './flags.ts';

interface ShareOptions extends OutputOptions {
  readonly dryRun: boolean;
  readonly overwrite: boolean;
  readonly yes: boolean;
}

const SHARES = [
  [
    'shadow',
    'shadow',
    'have this share of the reads answered by both sides, and the answers compared',
  ],
  ['ramp', 'reads', 'let this share of the customers read from the extracted service'],
] as const;

/** Declares `fig shadow` and `fig ramp`. */
export function addShares(program: Command, run: Run): void {
  for (const [name, kind, does] of SHARES) {
    addCommand(program, name, {
      does: `${does}; refused while the other side has no whole copy, 0 never is`,
      examples: [`fig ${name} inventory 10`, `fig ${name} inventory 0`],
    })
      .argument('<capability>')
      .argument('<share>', 'a whole number from 0 to 100')
      .option(...OVERWRITE, false)
      .option(...DRY_RUN, false)
      .option(...YES, false)
      .option(...REASON)
      .action((capability: string, share: string, options: ShareOptions) =>
        run(options, (context, output) =>
          setShare(context, output, { ...options, capability, kind, share }),
        ),
      );
  }
}

interface ShareChange extends ShareOptions {
  readonly capability: string;
  readonly kind: 'shadow' | 'reads';
  readonly share: string;
}

type Known = FoundStatus['capabilities'][number];

/**
 * Sets a share of reads: to be compared, or to be served by the extracted side. Unlike a flag set
 * by hand it is refused where nothing could come of it.
 */
async function setShare(
  context: Context,
  output: Output,
  { capability, kind, share: given, dryRun, overwrite, yes }: ShareChange,
): Promise<void> {
  const flag = `${known('capability', capability, context.capabilities)}.${kind}`;
  const share = shareFrom(flag, given);
  const all = await statuses(context);
  const status = all.find((one) => one.capability === capability);
  const now = (await readFlags(context)).rule(flag);
  const refused = shareRefusal({ capability, kind, share }, all, now);
  if (refused) throw new CommandError(EXIT.refused, refused.code, refused.reason, refused.next);
  if (!dryRun) {
    const verb = kind === 'reads' ? 'ramp' : kind;
    const command = `fig ${verb} ${capability} ${share}${overwrite ? ' --overwrite' : ''}`;
    await agreedOnFlag(context, output, { flag, share, overwrite, yes, command });
  }
  const change = await changeFlag(context, flag, share, { dryRun, overwrite });
  const next = status ? after(status, kind, share) : [];
  output.result(change, () => changeText(change), dryRun ? [] : next);
}

/** Of the capabilities whose rows move. */
async function statuses(context: Context): Promise<readonly Known[]> {
  const engine = new EngineClient(context, 0, () => undefined);
  const { capabilities } = await findStatus(context, engine);
  return capabilities;
}

/** What comes next once this share is in force. */
function after(status: Known, kind: ShareChange['kind'], share: number): readonly NextStep[] {
  const before = status.shares ?? { shadow: 0, reads: 0, writes: null, conditions: {} };
  const shares = { ...before, [kind]: share };
  const { stage } = status;
  const moved = stage === 'replicating' || stage === 'shadowing' || stage === 'reading';
  if (!moved) return [];
  if (shares.reads > 0) return nextSteps({ ...status, stage: 'reading', shares });
  return nextSteps({ ...status, stage: shares.shadow > 0 ? 'shadowing' : 'replicating', shares });
}
