import type { Command } from 'commander';
import { DRY_RUN, OVERWRITE, addCommand, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { wayBackOf } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { nextSteps } from '../next-step.ts';
import type { NextStep } from '../next-step.ts';
import type { Output, OutputOptions } from '../output.ts';
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
  // Taking reads away is safe at any time, and often urgent.
  if (share > 0 && status) {
    refuseUnready(status);
  }
  const now = (await readFlags(context)).rule(flag);
  if (kind === 'reads' && (share > now.share || now.conditions !== null)) {
    refuseWhileUnsafe(capability, all);
  }
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

/** One capability without a way back is enough: first that one, then the next reader. */
function refuseWhileUnsafe(capability: string, all: readonly Known[]): void {
  for (const other of all) {
    const wayBack = wayBackOf(other);
    if (other.capability === capability || wayBack === null || wayBack.safe) continue;
    const reason = `ROLLBACK UNSAFE of ${other.capability}, so no more reads move: ${wayBack.reason}`;
    throw new CommandError(EXIT.refused, 'rollback_unsafe', reason, wayBack.next);
  }
}

function refuseUnready({ capability, stage, owner, backfill, parked, trouble }: Known): void {
  const refuse = (reason: string, next: string): never => {
    throw new CommandError(EXIT.refused, 'gate_refused', reason, next);
  };
  const other = owner === 'extracted' ? 'legacy' : 'extracted';
  if (stage === 'not installed') refuse(trouble.join('; '), 'fig status');
  if (stage === 'alarm') refuse('there is not exactly one owner', `fig doctor ${capability}`);
  if (backfill.state !== 'done') {
    refuse(`${other} has no complete copy of the data`, `fig backfill ${capability}`);
  }
  if (parked !== null) {
    refuse(`reads stay with the owner while changes are parked`, `fig parked list ${capability}`);
  }
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
