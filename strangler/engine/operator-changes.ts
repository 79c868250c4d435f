import { z } from 'zod';
import { aggregatesOf, retryParked } from '../replication/parked/index.ts';
import type { ShadowReport } from '../ownership/shadow-fence.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { CapabilityController } from './capability-controller.ts';
import type { LeaderContext } from './flag-reconciler.ts';

const side = z.enum(['legacy', 'extracted']);
const roots = z.array(z.string()).min(1).readonly();

/** What an operator changes in the databases of one capability, beside handovers and copies. */
export const operatorChange = z.discriminatedUnion('kind', [
  /** Aggregates, by their roots, that one side could not take: the owner's rows are brought there again. */
  z.strictObject({ kind: z.literal('retry-parked'), side, roots }),
  z.strictObject({ kind: z.literal('skip-parked'), side, roots }),
  /** The schemas of both sides, as they are now. */
  z.strictObject({ kind: z.literal('accept-schemas') }),
  z.strictObject({ kind: z.literal('audit'), on: z.boolean() }),
]);
export type OperatorChange = z.output<typeof operatorChange>;

/** What became of it; of each kind only what that kind brings about. */
export interface OperatorChangeAnswer {
  readonly kind: OperatorChange['kind'];
  /** Of `retry-parked`: after this position of the owner's feed they were tried; null: there is no owner of them. */
  readonly position?: number | null;
  /** Of `skip-parked`: changes. */
  readonly skipped?: number;
  /** Of `audit`. */
  readonly report?: ShadowReport | null;
}

/** Carries out a change while nothing else acts on the capability. @throws Problem 503 where this engine does not lead */
export async function makeChange(
  controller: CapabilityController,
  change: OperatorChange,
): Promise<OperatorChangeAnswer> {
  const { capability, log } = controller;
  const answer = await controller.act((context) => changeAsLeader(context, change));
  log.info({ capability, change }, 'an operator changed it');
  return answer;
}

/** Carries out a change under the leases of whoever calls, so that it meets no handover. */
export async function changeAsLeader(
  { opened: { sides } }: LeaderContext,
  change: OperatorChange,
): Promise<OperatorChangeAnswer> {
  const { kind } = change;
  if (kind === 'retry-parked') {
    const wanted = new Set(change.roots);
    const parked = aggregatesOf(await sides[change.side].parked.list());
    const chosen = parked.filter(({ root }) => wanted.has(root));
    return { kind, position: await retryParked(sides[otherSide(change.side)], chosen) };
  }
  if (kind === 'skip-parked') {
    let skipped = 0;
    for (const root of change.roots) skipped += await sides[change.side].parked.skip(root);
    return { kind, skipped };
  }
  if (kind === 'accept-schemas') {
    // The side that must not write first.
    for (const name of ['extracted', 'legacy'] satisfies SideName[])
      await sides[name].checks.accept();
    return { kind };
  }
  const { shadowFence } = sides.legacy;
  await (change.on ? shadowFence.on() : shadowFence.off());
  return { kind, report: await shadowFence.report() };
}
