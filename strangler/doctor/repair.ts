import type { Fence } from '../../chassis/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord, Lease } from '../ledger/store.ts';
import { REST } from '../ownership/fence-rows.ts';
import { readFacts, unfinishedHandoverIn } from '../sides/facts.ts';
import type { StrayKey } from './facts.ts';
import { diagnose } from './diagnose.ts';
import { examine } from './examine.ts';
import { repairText } from './finding.ts';
import type { Repair } from './finding.ts';
import type { BySide } from '../../routing/side.ts';

/** What repairing needs of whoever holds the leases: an engine, or somebody who stands in for it. */
export interface RepairJob {
  readonly capability: string;
  readonly mapping: Mapping;
  readonly sides: BySide<SideDatabase>;
  readonly leases: BySide<Lease>;
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
export async function repair(job: RepairJob): Promise<RepairReport> {
  const { capability, sides } = job;
  const done: string[] = [];
  const failed: string[] = [];
  // No engine: under these leases nobody else is at it.
  const facts = await examine(capability, sides);
  for (const { repair: wanted } of diagnose(facts, null)) {
    if (wanted === null) continue;
    try {
      done.push(await mend(job, wanted));
    } catch (error) {
      failed.push(`${repairText(capability, wanted)}: ${String(error)}`);
    }
  }
  return { capability, done, failed };
}

async function mend(job: RepairJob, wanted: Repair): Promise<string> {
  switch (wanted.kind) {
    case 'end_handover': {
      const record = await unfinishedOf(job);
      return record ? job.endHandover(record) : 'the handover has come to its end meanwhile';
    }
    case 'close':
      return close(job, wanted.side, wanted.fence);
    case 'close_keys':
      return closeKeys(job, wanted.side, wanted.keys);
    default:
      return reinstall(job, wanted.side);
  }
}

async function close(job: RepairJob, side: SideName, fence: Fence): Promise<string> {
  const { sides, leases } = job;
  const entry = { handover: 'doctor', step: 'close', detail: 'behind, of two that were open' };
  const to: Fence = { state: 'closed', epoch: fence.epoch };
  if (!(await sides[side].store.step(entry, leases[side], { from: fence, to, keys: [REST] }))) {
    throw new Error(`${side}'s fence has moved meanwhile`);
  }
  await demand(job, `${side} was restored from a backup, and took writes beside the owner`);
  return `${side}'s fence is closed; ${otherSide(side)} is the only owner`;
}

/** Each side's keys first get fences of their own: the one that is behind may have none yet. */
async function closeKeys(
  job: RepairJob,
  side: SideName,
  keys: readonly StrayKey[],
): Promise<string> {
  const { store } = job.sides[side];
  const lease = job.leases[side];
  const names = keys.map(({ key }) => key);
  const epoch = Math.max(...keys.map((key) => key[side].epoch));
  const entry = { handover: 'doctor', step: 'close', detail: `behind: ${names.join(', ')}` };
  const [from, to] = [{ state: 'open', epoch } as const, { state: 'closed', epoch } as const];
  const closed =
    (await store.split(names, lease)) &&
    (await store.step(entry, lease, { from, to, keys: names }));
  if (!closed) throw new Error(`${side}'s fences have moved meanwhile`);
  await demand(job, `${side} was restored from a backup, and took writes beside the owner`);
  return `${side}'s fences of ${names.join(', ')} are closed; ${otherSide(side)} is their only owner`;
}

async function reinstall(job: RepairJob, side: SideName): Promise<string> {
  const database = job.sides[side];
  await database.install();
  await demand(job, `tables or triggers on ${side} were not as Fig had made them`);
  const left = await database.checks.drift();
  if (left.length > 0) throw new Error(`still not as it was: ${left.join('; ')}`);
  return `Fig's tables and triggers on ${side} are back in place`;
}

export function unfinishedOf({ sides }: RepairJob): Promise<HandoverRecord | undefined> {
  return unfinishedHandoverIn(readFacts(sides));
}

/** Wants everything compared before the next handover. */
export async function demand({ sides }: RepairJob, reason: string): Promise<void> {
  for (const side of [sides.legacy, sides.extracted]) await side.checks.demandReconcile(reason);
}
