import type { Command } from 'commander';
import type { Run } from '../add-command.ts';

/** Declares commands: their options, their help, and what they do. */
type Declare = (program: Command, run: Run) => void;

/**
 * The commands in the order of the help, with the file of each. One that is given is loaded alone: all of
 * them need half of the engine.
 */
const FILES: readonly (readonly [names: readonly string[], load: () => Promise<Declare>])[] = [
  [['up', 'engine', 'facade'], async () => (await import('./up.ts')).addUp],
  [['status'], async () => (await import('./status.ts')).addStatus],
  [['init'], async () => (await import('./init.ts')).addInit],
  [['assess'], async () => (await import('./assess.ts')).addAssess],
  [['check'], async () => (await import('./check.ts')).addCheck],
  [['conformance'], async () => (await import('./conformance.ts')).addConformance],
  [['explain'], async () => (await import('./explain.ts')).addExplain],
  [['services'], async () => (await import('./services.ts')).addServices],
  [['journal'], async () => (await import('./journal.ts')).addJournal],
  [['audit'], async () => (await import('./audit.ts')).addAudit],
  [['logs'], async () => (await import('./logs.ts')).addLogs],
  [['open'], async () => (await import('./open.ts')).addOpen],
  [['token'], async () => (await import('./token.ts')).addToken],
  [['config'], async () => (await import('./config.ts')).addConfig],
  [['shadow', 'ramp'], async () => (await import('./share.ts')).addShares],
  [['flags'], async () => (await import('./flags.ts')).addFlags],
  [['backfill'], async () => (await import('./backfill.ts')).addBackfill],
  [['reconcile'], async () => (await import('./reconcile.ts')).addReconcile],
  [['shadow-fence'], async () => (await import('./shadow-fence.ts')).addShadowFence],
  [['switch', 'reverse'], async () => (await import('./handover.ts')).addHandovers],
  [['abort'], async () => (await import('./abort.ts')).addAbort],
  [['complete'], async () => (await import('./complete.ts')).addComplete],
  [['doctor'], async () => (await import('./doctor.ts')).addDoctor],
  [['parked'], async () => (await import('./parked.ts')).addParked],
  [['dead-letters'], async () => (await import('./dead-letters.ts')).addDeadLetters],
  [['uninstall'], async () => (await import('./uninstall.ts')).addUninstall],
];

/** What declares the command of that name; what declares all of them where there is none of that name. */
export async function declarationsOf(name: string | undefined): Promise<readonly Declare[]> {
  const named = FILES.filter(([names]) => name !== undefined && names.includes(name));
  const declarations: Declare[] = [];
  // In turn: most of them load the same modules.
  for (const [, load] of named.length > 0 ? named : FILES) declarations.push(await load());
  return declarations;
}
