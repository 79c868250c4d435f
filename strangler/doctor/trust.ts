import { randomUUID } from 'node:crypto';
import type { Fence } from '../../chassis/index.ts';
import { keepRows, planRemoval, refuseRemoval } from '../replication/copy/index.ts';
import type { RemovalPlan } from '../replication/copy/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { REST } from '../ownership/fence-rows.ts';
import type { FenceRows } from '../ownership/fence-rows.ts';
import type { FenceMove, HandoverRecord } from '../ledger/store.ts';
import { plural } from '../wording.ts';
import { diagnose } from './diagnose.ts';
import { examine } from './examine.ts';
import { decisionText } from './finding.ts';
import type { Finding } from './finding.ts';
import { passOver } from './pass-over.ts';
import { demand, unfinishedOf } from './repair.ts';
import type { RepairReport, RepairJob } from './repair.ts';

/** What a person has decided. */
export interface Decision {
  /** Whose rows are right. */
  readonly side: SideName;
  /** Whether it takes over the rows that only the other side has. */
  readonly keep: boolean;
  /** How many rows that only the other side has may be lost, where they are more than a few. */
  readonly deleteRows?: number | undefined;
}

/**
 * Makes a side the only owner because a person says that its rows are right, whatever the fences
 * say: the other one's fence is ceded to it at an epoch above both.
 */
export async function trust(job: RepairJob, wish: Decision): Promise<RepairReport> {
  const { side, keep } = wish;
  const { capability, sides, leases } = job;
  const [trusted, other] = [sides[side].store, sides[otherSide(side)].store];
  const completion = await sides.legacy.retirement.completion();
  if (completion && completion.outcome !== 'aborted') {
    throw new Error(`${capability} is being completed, or is: there is one owner for good`);
  }
  refuseUnasked(capability, side, await findingsOf(job));
  if (keep && ((await trusted.fences()).split || (await other.fences()).split)) {
    throw new Error('single keys have owners of their own; rows can be kept only where none has');
  }
  await agreedLoss(job, wish);
  const done = await giveUpHandover(job);
  const mine = await trusted.fences();
  const theirs = await other.fences();
  const epoch = Math.max(mine.epoch, theirs.epoch) + 1;
  const record = decision(capability, side, epoch);
  await demand(job, decisionText(side));
  const step = { handover: record.id, step: 'trust' };
  if (mine.anyOpen) {
    // It is opened again at the new epoch; meanwhile nobody writes, which is safe at any moment.
    const from = openFence(mine);
    const closed: Fence = { state: 'closed', epoch: from.epoch };
    const detail = `open ${from.epoch} -> closed ${from.epoch}`;
    await expectMoved(side, trusted.step({ ...step, detail }, leases[side], { from, to: closed }));
  }
  if (!(await other.beginHandover(record, leases[otherSide(side)]))) {
    throw new Error('a handover is unfinished there; see to it first');
  }
  const ceded: Fence = { state: 'ceded', epoch };
  const cede = (move: FenceMove): Promise<void> => {
    const { state, epoch: at } = move.from;
    const detail = `${state} ${at} -> ceded ${epoch}, by a person's decision`;
    const lease = leases[otherSide(side)];
    return expectMoved(otherSide(side), other.step({ ...step, detail }, lease, move));
  };
  if (theirs.anyOpen) await cede({ from: openFence(theirs), to: ceded });
  if (theirs.rest.state !== 'open') await cede({ from: theirs.rest, to: ceded, keys: [REST] });
  await settleFeeds(job, side);
  if (keep) done.push(await keptText(job, side, (await trusted.fences()).rest.epoch));
  if (!(await trusted.openAsTarget(epoch))) throw new Error(`${side} could not be opened`);
  await other.finishHandover(record.id, 'done', null, leases[otherSide(side)]);
  done.push(`${side} is the only owner (epoch ${epoch}), as a person decided`);
  return { capability, done, failed: [] };
}

/**
 * The feed of the side that is right is followed as it is from now on, also where it was restored from a
 * backup and holds other changes than those that were applied. What the other one's holds beyond what was
 * applied is decided against: it must not come over after the next handover, either.
 */
async function settleFeeds({ sides, leases }: RepairJob, side: SideName): Promise<void> {
  const [trusted, other] = [sides[side], sides[otherSide(side)]];
  const { position } = await other.store.followed();
  await trusted.store.skipTo(position, leases[side]);
  const mark = await trusted.feed.markAt(position);
  await other.store.followFrom({ position, mark }, leases[otherSide(side)]);
  await passOver(other, trusted.store, leases[side]);
}

/**
 * Counts both sides before a person's decision about them is carried out.
 * @throws Problem `would_delete_rows` where more than a few rows that only the other side has would be lost
 */
export async function agreedLoss(
  { capability, mapping, sides }: Pick<RepairJob, 'capability' | 'mapping' | 'sides'>,
  { side, keep, deleteRows }: Decision,
): Promise<RemovalPlan> {
  const plan = await planRemoval({ mapping, sides, from: side });
  if (keep) return plan;
  const otherwise = `--keep takes them over; to lose them, name the number:`;
  refuseRemoval(plan, { deleteRows, otherwise, next: `fig doctor ${capability}` });
  return plan;
}

/** Nobody writes to either side here: one fence is ceded, and the other one not open yet. */
async function keptText(
  { mapping, sides }: RepairJob,
  side: SideName,
  epoch: number,
): Promise<string> {
  const { kept, parked } = await keepRows(mapping, sides, side, epoch);
  const left = parked === 0 ? '' : `; ${plural(parked, 'row')} it does not take: fig parked list`;
  return `${side} has taken over ${plural(kept, 'row')} that only ${otherSide(side)} had${left}`;
}

/** Nothing is wrong, or nothing that a person's word would mend. */
export class NothingToDecide extends Error {
  override readonly name = 'NothingToDecide';
}

/** Under the leases, so that nobody mends it in between. */
async function findingsOf({ capability, sides }: RepairJob): Promise<readonly Finding[]> {
  return diagnose(await examine(capability, sides), null);
}

function refuseUnasked(capability: string, side: SideName, findings: readonly Finding[]): void {
  if (findings.some(({ trusts = [] }) => trusts.includes(side))) return;
  throw new NothingToDecide(
    `nothing that is wrong with ${capability} is mended by declaring ${side} right; its owner stays`,
  );
}

/** Where keys have fences of their own, an older epoch is as good as the newest. */
function openFence({ rest, split, epoch }: FenceRows): Fence {
  return split ? { state: 'open', epoch } : rest;
}

/** Its record only: the decision is about both fences, whatever it has left them at. */
async function giveUpHandover(job: RepairJob): Promise<string[]> {
  const left = await unfinishedOf(job);
  if (!left) return [];
  const { sides, leases } = job;
  const reason = 'a person decided otherwise';
  await sides[left.from].store.finishHandover(left.id, 'aborted', reason, leases[left.from]);
  return [`the unfinished handover to ${left.to} is given up`];
}

async function expectMoved(side: SideName, moved: Promise<boolean>): Promise<void> {
  if (!(await moved)) throw new Error(`${side}'s fence has moved meanwhile`);
}

function decision(capability: string, to: SideName, epoch: number): HandoverRecord {
  const now = Date.now();
  return {
    id: randomUUID(),
    capability,
    from: otherSide(to),
    to,
    epoch,
    deadline: now,
    position: null,
    outcome: null,
    reason: null,
    startedAt: now,
    finishedAt: null,
    keys: null,
  };
}
