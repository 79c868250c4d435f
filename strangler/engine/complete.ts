import { Problem } from '../../chassis/index.ts';
import type { RenamedTable } from '../ownership/completion/index.ts';
import type { Gate } from '../ownership/handover/gate.ts';
import { refusalOf } from '../ownership/handover/gates.ts';
import { sharesOf } from '../../routing/index.ts';
import { CompletionLost } from './completions.ts';
import { gateRefused } from './refusals.ts';
import type { CapabilityController } from './capability-controller.ts';

/** What remains to be done by people, once a capability is complete. */
interface Remains {
  readonly capability: string;
  readonly tables: readonly RenamedTable[];
  /** Flags, configuration and code that nobody needs any more. */
  readonly leftovers: readonly string[];
}

/** A completion, once it is over. */
export type CompletionAnswer = Remains & { readonly outcome: 'done' | 'already' };

export type CompletionPlan = Remains & {
  readonly outcome: 'planned';
  readonly gates: readonly Gate<string>[];
  readonly steps: readonly string[];
};

/** Shows what completing a capability would do, and whether it may; changes nothing. */
export async function planCompletion(controller: CapabilityController): Promise<CompletionPlan> {
  const { capability, flags } = controller;
  return controller.act(async ({ opened, completions }) => ({
    outcome: 'planned',
    capability,
    gates: await completions.judge(sharesOf(capability, flags)),
    steps: await completions.plan(),
    tables: completions.tables,
    leftovers: opened.declaration.completion?.leftovers ?? [],
  }));
}

/**
 * Completes a capability: the way back is closed, the legacy tables are renamed.
 * @throws Problem `gate_refused` or `completion_aborted`, which say what to do; nothing has changed.
 *   `completion_lost` when the lease ran out on the way: whoever leads next goes on with it
 */
export async function complete(controller: CapabilityController): Promise<CompletionAnswer> {
  const { capability, flags } = controller;
  const known = controller.opened?.declaration.completion?.leftovers ?? [];
  if (controller.standing.as === 'complete') {
    const tables = controller.opened?.sides.legacy.retirement.tables() ?? [];
    return { outcome: 'already', capability, tables, leftovers: known };
  }
  return controller.act(async ({ completions }) => {
    const refusal = refusalOf(await completions.judge(sharesOf(capability, flags)));
    if (refusal) throw gateRefused(capability, refusal);
    const { tables } = completions;
    const { outcome, reason } = await completions.begin().catch((error: unknown) => {
      // Nobody knows how far it came: the next look at it begins with what the databases say.
      controller.startOver();
      throw error instanceof CompletionLost ? lost(capability, error) : error;
    });
    if (outcome === 'aborted') throw takenBack(capability, reason);
    controller.startOver();
    return { outcome: 'done', capability, tables, leftovers: known };
  });
}

function lost(capability: string, { message }: CompletionLost): Problem {
  const detail = `the completion of ${capability} goes on under the next lease: ${message}`;
  return new Problem(503, 'completion_lost', detail, {
    headers: { 'retry-after': '1' },
    members: { capability },
  });
}

function takenBack(capability: string, reason: string | null): Problem {
  const detail = `${capability} was not completed, and nothing has changed: ${reason ?? ''}`;
  return new Problem(409, 'completion_aborted', detail, {
    members: { capability, reason, next: `fig reconcile ${capability} --repair` },
  });
}
