import { Problem } from '../../chassis/index.ts';
import type { CopyOptions, ReconcileReport, RemovalPlan } from '../replication/copy/index.ts';
import { otherSide } from '../../routing/side.ts';
import { remembered } from './broken-off.ts';
import type { CapabilityController } from './capability-controller.ts';
import type { OpenCapability } from './open-capability.ts';
import { leading, notLeading, readableCapability } from './refusals.ts';
import { agreedRemoval } from './removals.ts';
import { moveSequences } from './sequences.ts';

export interface DeletionOptions {
  /** How many rows may vanish from the side that follows, where they are more than a few. */
  readonly deleteRows?: number | undefined;
}

export interface ReconcileOrder extends DeletionOptions {
  /** The share of rows to compare, in percent; all when left out. */
  readonly sample?: number | undefined;
  /** Whether to bring the owner's rows over once more where the sides differ. */
  readonly repair: boolean;
}

/** Begins or goes on with a copy, and returns while it runs. */
export async function backfill(
  controller: CapabilityController,
  { deleteRows, ...wish }: CopyOptions & DeletionOptions,
): Promise<void> {
  const { capability, log } = controller;
  await whileLeading(controller, async (opened) => {
    if (wish.restart || (await wouldBegin(opened))) await agreedRemoval(opened, deleteRows);
    const copied = opened.data.backfill(wish);
    remembered(controller, opened, 'backfill', copied).catch((error: unknown) => {
      log.error({ err: error, capability }, 'the backfill ended');
    });
  });
}

/** What both sides hold, and what would vanish if the owner's rows replaced the other side's. */
export async function removal(
  controller: CapabilityController,
  { deleteRows }: DeletionOptions,
): Promise<RemovalPlan> {
  return whileLeading(controller, (opened) => agreedRemoval(opened, deleteRows));
}

/** Compares both sides, and repairs the one that follows where that is asked for. */
export async function reconcile(
  controller: CapabilityController,
  { sample, repair, deleteRows }: ReconcileOrder,
): Promise<ReconcileReport> {
  return whileLeading(controller, async (opened) => {
    if (repair) await agreedRemoval(opened, deleteRows);
    const { data, sides } = opened;
    const work = repair ? data.repair({ sample }) : data.reconcile({ sample });
    const report = await remembered(controller, opened, 'comparison', work);
    // Whoever compares wants to know whether the other side could take over.
    const { owner } = report;
    await moveSequences(data.mapping, sides[owner], sides[otherSide(owner)]);
    return report;
  });
}

/**
 * Does what may be asked for once more.
 * @throws Problem 503 where it failed because this engine has let go of the databases meanwhile
 */
async function whileLeading<T>(
  controller: CapabilityController,
  work: (opened: OpenCapability) => Promise<T>,
): Promise<T> {
  const opened = leading(controller);
  try {
    return await work(await readableCapability(controller));
  } catch (error) {
    if (error instanceof Problem || controller.opened === opened) throw error;
    throw notLeading(controller);
  }
}

/** Whether a copy that is asked for now would begin, or go on; one that runs, or is whole, is left alone. */
async function wouldBegin({ data }: OpenCapability): Promise<boolean> {
  const { backfill: copy } = await data.status();
  return !copy.running && !copy.complete;
}
