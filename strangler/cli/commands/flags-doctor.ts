import type { Command } from 'commander';
import type { Finding } from '../../doctor/index.ts';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import type { Context } from '../context.ts';
import { doctorText } from '../doctor-text.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { flagContradictions } from '../flag-contradictions.ts';
import { flagFindings } from '../flag-health.ts';
import { readFlags } from '../read-flags.ts';
import { findStatus } from '../read-status.ts';
import { plural } from '../../wording.ts';

/** Declares `fig flags doctor`, which only looks. */
export function addFlagsDoctor(flags: Command, run: Run): void {
  addCommand(flags, 'doctor', {
    does:
      'name flags that are missing, that conditions decide, or that contradict the state, and what mends it; ' +
      'exit 0 when there is nothing to mend, else 1',
    examples: ['fig flags doctor', 'fig flags doctor --json'],
  }).action((options: OutputOptions) => run(options, examineFlags));
}

/** @throws CommandError when a flag has to be mended */
async function examineFlags(context: Context, output: Output): Promise<void> {
  const flags = await readFlags(context);
  const { capabilities } = await findStatus(context, new EngineClient(context, 0, () => undefined));
  const state = flags.state();
  const found: readonly Finding[] = [
    ...flagFindings({ flags: state, capabilities }),
    ...(state.read
      ? context.capabilities.flatMap((name) =>
          flagContradictions(
            name,
            flags,
            capabilities.find(({ capability }) => capability === name),
          ),
        )
      : []),
  ];
  const findings = found.map(({ repair: _none, ...finding }) => finding);
  const ill = found.filter(({ level }) => level !== 'notice').length;
  output.result({ source: state.source, ok: ill === 0, findings }, () =>
    found.length === 0
      ? `every flag is there in ${state.source}, and none contradicts the state`
      : doctorText(
          { capabilities: [], findings: found.map((one) => ({ ...one, capability: null })) },
          { done: [], failed: [] },
          output.paint,
        ),
  );
  if (ill === 0) return;
  const message = `${plural(ill, 'finding')} to mend in the flags of ${state.source}`;
  throw new CommandError(EXIT.failed, 'flags_need_care', message, null);
}
