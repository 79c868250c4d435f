import { randomUUID } from 'node:crypto';
import type { Fence } from '../../chassis/index.ts';
import type { SideDatabase } from '../side-database.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import type { HandoverRecord, Lease } from '../store.ts';
import type { EngineFacts } from './facts.ts';
import { diagnose } from './diagnose.ts';
import { examine } from './examine.ts';
import { repairText } from './finding.ts';
import type { Repair } from './finding.ts';
import type { Pair } from './older-self.ts';

/** What repairing needs of whoever holds the leases: an engine, or somebody who stands in for it. */
export interface Surgery {
  readonly capability: string;
  readonly sides: Pair<SideDatabase>;
  readonly leases: Pair<Lease>;
  /** Ends an unfinished handover, and says how. */
  endHandover(record: HandoverRecord): Promise<string>;
}

export interface RepairReport {
  readonly capability: string;
  /** What was done, as sentences. */
  readonly done: readonly string[];
  /** What was tried and failed, with the reason. */
  readonly failed: readonly string[];
}

/** Mends what needs nobody's decision. What was interrupted can be run again. */
export async function repair(surgery: Surgery): Promise<RepairReport> {
  const { capability, sides } = surgery;
  const done: string[] = [];
  const failed: string[] = [];
  const facts = await examine(capability, sides);
  for (const { repair: wanted } of diagnose(facts, NO_ENGINE)) {
    if (wanted === null) continue;
    try {
      done.push(await mend(surgery, wanted));
    } catch (error) {
      failed.push(`${repairText(capability, wanted)}: ${String(error)}`);
    }
  }
  return { capability, done, failed };
}

/** Under its own leases nobody else is at it. */
const NO_ENGINE: EngineFacts | null = null;

async function mend(surgery: Surgery, wanted: Repair): Promise<string> {
  const { sides, leases } = surgery;
  switch (wanted.kind) {
    case 'end_handover': {
      const record = await unfinishedOf(surgery);
      return record ? surgery.endHandover(record) : 'the handover has come to its end meanwhile';
    }
    case 'close': {
      const { side, fence } = wanted;
      const closed: Fence = { state: 'closed', epoch: fence.epoch };
      const entry = {
        handover: 'doctor',
        step: 'close',
        detail: 'it was behind, of two that were open',
      };
      const moved = await sides[side].store.step(entry, leases[side], { from: fence, to: closed });
      if (!moved) throw new Error(`${side}'s fence has moved meanwhile`);
      await demand(surgery, `${side} was restored from a backup, and took writes beside the owner`);
      return `${side}'s fence is closed; ${otherSide(side)} is the only owner`;
    }
    case 'reinstall': {
      const { side } = wanted;
      await sides[side].install();
      await demand(surgery, `tables or triggers on ${side} were not as Fig had made them`);
      const left = await sides[side].checks.drift();
      if (left.length > 0) throw new Error(`still not as it was: ${left.join('; ')}`);
      return `Fig's tables and triggers on ${side} are back in place`;
    }
  }
}

async function unfinishedOf({ sides }: Surgery): Promise<HandoverRecord | undefined> {
  const { legacy, extracted } = sides;
  return (await legacy.store.unfinishedHandover()) ?? extracted.store.unfinishedHandover();
}

async function demand({ sides }: Surgery, reason: string): Promise<void> {
  for (const side of [sides.legacy, sides.extracted]) await side.checks.demandReconcile(reason);
}

/**
 * Makes a side the only owner because a person says that its rows are right, whatever the fences
 * say: the other one's fence is ceded to it at an epoch above both.
 */
export async function trust(surgery: Surgery, side: SideName): Promise<RepairReport> {
  const { capability, sides, leases } = surgery;
  const [trusted, other] = [sides[side].store, sides[otherSide(side)].store];
  const done = await giveUpHandover(surgery);
  const mine = await trusted.fence();
  const theirs = await other.fence();
  const epoch = Math.max(mine.epoch, theirs.epoch) + 1;
  const record = decision(capability, side, epoch);
  await demand(surgery, `a person decided that ${side} is right`);
  const step = { handover: record.id, step: 'trust' };
  if (mine.state === 'open') {
    // It is opened again at the new epoch; meanwhile nobody writes, which is safe at any moment.
    const closed: Fence = { state: 'closed', epoch: mine.epoch };
    const detail = `open ${mine.epoch} -> closed ${mine.epoch}`;
    await expectMoved(
      side,
      trusted.step({ ...step, detail }, leases[side], { from: mine, to: closed }),
    );
  }
  if (!(await other.beginHandover(record, leases[otherSide(side)]))) {
    throw new Error('a handover is unfinished there; see to it first');
  }
  const ceded: Fence = { state: 'ceded', epoch };
  const detail = `${theirs.state} ${theirs.epoch} -> ceded ${epoch}, by a person's decision`;
  await expectMoved(
    otherSide(side),
    other.step({ ...step, detail }, leases[otherSide(side)], { from: theirs, to: ceded }),
  );
  if (!(await trusted.openAsTarget(epoch))) throw new Error(`${side} could not be opened`);
  await other.finishHandover(record.id, 'done', null, leases[otherSide(side)]);
  done.push(`${side} is the only owner (epoch ${epoch}), as a person decided`);
  return { capability, done, failed: [] };
}

/** Its record only: the decision is about both fences, whatever it has left them at. */
async function giveUpHandover(surgery: Surgery): Promise<string[]> {
  const left = await unfinishedOf(surgery);
  if (!left) return [];
  const { sides, leases } = surgery;
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
  };
}
