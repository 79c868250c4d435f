import { START_COMMAND } from '../../../chassis/index.ts';
import { Argument } from 'commander';
import type { Command } from 'commander';
import { addCommand, REASON, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import type { ShadowReport } from '../../ownership/shadow-fence.ts';
import { plural } from '../../wording.ts';
import { change } from '../as-leader.ts';
import { ago, CommandError, confirmed, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Intent, Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { step } from '../../engine/next-step.ts';
import type { NextStep } from '../../engine/next-step.ts';
import { withSides } from '../with-sides.ts';

type Watching = 'on' | 'off' | 'report';

interface ShadowFenceOptions extends OutputOptions {
  readonly yes: boolean;
}

/** Declares `fig shadow-fence`. */
export function addShadowFence(program: Command, run: Run): void {
  addCommand(program, 'shadow-fence', {
    does:
      "audit the writes to a capability's legacy tables that bypass the application, and refuse " +
      'none: before a handover, for days if you wish; needs no engine',
    examples: ['fig shadow-fence inventory on', 'fig shadow-fence inventory report'],
  })
    .argument('<capability>')
    .addArgument(new Argument('<what>').choices(['on', 'off', 'report']))
    .option(...YES, false)
    .option(...REASON)
    .action((capability: string, what: Watching, options: ShadowFenceOptions) =>
      run(options, (context, output) => shadowFence(context, output, capability, what, options)),
    );
}

/**
 * Watches, for days if wished, writes to the legacy tables of a capability that bypass the application;
 * nobody is stopped. Works on the database itself, without an engine.
 */
async function shadowFence(
  context: Context,
  output: Output,
  capability: string,
  what: Watching,
  { yes }: ShadowFenceOptions,
): Promise<void> {
  await withSides(declarationOf(context, capability), async ({ legacy }) => {
    if ((await legacy.installation()) === undefined) {
      const message = 'nothing is installed in the legacy database yet: start the engine once';
      throw new CommandError(EXIT.refused, 'not_installed', message, START_COMMAND);
    }
    if (what !== 'report') {
      const before = await legacy.shadowFence.report();
      if ((before?.on === true) !== (what === 'on')) {
        const command = `fig shadow-fence ${capability} ${what}`;
        await confirmed(output, { look: () => intentOf(capability, what, before), yes, command });
      }
      await change(context, output, capability, { kind: 'audit', on: what === 'on' });
    }
    const report = await legacy.shadowFence.report();
    const next = nextOf(capability, report);
    output.result({ capability, report }, () => reportText(capability, report), next);
  });
}

function intentOf(capability: string, what: 'on' | 'off', before: ShadowReport | null): Intent {
  const writes = before?.writes.reduce((sum, one) => sum + one.writes, 0) ?? 0;
  const counted = `${plural(writes, 'write')} that bypassed the application counted so far`;
  if (what === 'off') return { will: counted, question: `Stop watching ${capability}?` };
  const will = `each write to the legacy tables of ${capability} is counted from now on; the audit blocks none of them`;
  return {
    will: before === null ? will : `${will}\n${counted}, and would be forgotten`,
    question: `Watch ${capability}?`,
  };
}

function nextOf(capability: string, report: ShadowReport | null): readonly NextStep[] {
  if (report === null) return [step(`fig shadow-fence ${capability} on`, 'the audit is off')];
  if (!report.on) return [];
  return [
    step(
      `fig shadow-fence ${capability} report`,
      'which writes have bypassed the application by then',
    ),
  ];
}

function reportText(capability: string, report: ShadowReport | null): string {
  if (report === null) return `${capability} was not audited yet`;
  const { on, since, until, writes } = report;
  const span = `since ${new Date(since).toISOString()}`;
  const head = on
    ? `${capability} is watched ${span}`
    : `${capability} was watched ${span}, until ${new Date(until ?? 0).toISOString()}`;
  if (writes.length === 0) return `${head}: no write bypassed the application`;
  const rows = writes.map(({ table: name, op, writes: count, first, newest, who }) => [
    name,
    op,
    plural(count, 'write'),
    `first ${ago(Date.now() - first)}`,
    `newest ${ago(Date.now() - newest)}`,
    who.join(', '),
  ]);
  return `${head}; these writes bypassed the application\n${table(rows, '  ')}\nafter a handover these would fail`;
}
