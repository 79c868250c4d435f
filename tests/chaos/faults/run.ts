import { countMismatches, createRandom, persevere, worst } from '../../../rehearsal/index.ts';
import type { Progress } from '../../../rehearsal/index.ts';
import { eventually } from '../../support/index.ts';
import { CAPABILITIES } from '../base/rows.ts';
import type { RunContext, RunReport } from '../base/runs.ts';
import { cellsOf, STAGES } from './cells.ts';
import type { Cell, Stage } from './cells.ts';
import { startClients } from './clients.ts';
import { FAULTS } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { TARGETS, withFaultyShop } from './faulty-shop.ts';
import type { FaultyShop, Target } from './faulty-shop.ts';
import { wronglyStored } from './stored.ts';
import { cellText, tableOf } from './table.ts';
import { tryCell } from './trial.ts';
import type { CellReport } from './trial.ts';

const BEFORE_MS = 1_000;
const FAULT_MS = 2_000;

/** One system that goes through all stages of a move, and is hurt in each. */
export function faultsRun(context: RunContext): Promise<RunReport> {
  const { chosen, progress, signal, onStart } = context;
  const random = createRandom(context.seed);
  const cells = cellsOf(
    chosen('stage') as Stage[],
    chosen('target') as Target[],
    chosen('fault') as Fault[],
  )
    // What one fault leaves behind, another may meet: in each stage they come in another order.
    .map((cell) => ({ cell, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ cell }) => cell);
  progress.stage('starting a system');
  return withFaultyShop({ signal, onStart }, (shop) => tryAll(shop, cells, progress, signal));
}

/** The words of the command that choose cells. */
export const CHOICES = { fault: FAULTS, target: TARGETS, stage: STAGES };

/** Tries cells in the order of the stages, and holds what clients were told against what is stored. */
export async function tryAll(
  shop: FaultyShop,
  cells: readonly Cell[],
  progress: Progress,
  signal: AbortSignal,
  lengths = { beforeMs: BEFORE_MS, faultMs: FAULT_MS },
): Promise<RunReport> {
  const reports: CellReport[] = [];
  const last = STAGES.findLastIndex((stage) => cells.some((cell) => cell.stage === stage));
  const clients = await startClients(shop);
  try {
    await clients.warm();
    for (const stage of STAGES.slice(0, last + 1)) {
      progress.stage(`moving to ${stage}`);
      await enter(shop, stage, signal);
      for (const cell of cells.filter((each) => each.stage === stage)) {
        signal.throwIfAborted();
        progress.stage(`${reports.length + 1} of ${cells.length}: ${cellText(cell)}`);
        const report = await tryCell(shop, clients, cell, lengths);
        reports.push(report);
        progress.say(tableOf([report]).trimEnd());
      }
    }
    progress.stage('comparing');
    await clients.settle();
  } finally {
    await clients.stop();
  }
  const owner = last === STAGES.indexOf('moved') ? 'extracted' : 'legacy';
  const stored = await wronglyStored(shop, clients, owner);
  const differing = last === 0 ? [] : await differences(shop);
  const broken = reports.flatMap((report) =>
    report.broken.map((text) => `${cellText(report)}: ${text}`),
  );
  const unproven = reports.filter(({ verdict }) => verdict === 'inconclusive');
  return {
    broken: [...broken, ...stored, ...differing],
    ...(unproven.length === 0
      ? {}
      : { unproven: unproven.map((each) => `${cellText(each)}: ${each.unproven}`).join('; ') }),
    facts: {
      cells: reports.length,
      requests: clients.seen.length,
      writes: clients.written.size,
      refused: clients.refused.size,
      verdict: worst(reports.map(({ verdict }) => verdict)),
    },
    cells: reports,
    table: tableOf(reports),
  };
}

/** Takes both capabilities one stage on. */
async function enter({ fig }: FaultyShop, stage: Stage, signal: AbortSignal): Promise<void> {
  const commands: Readonly<Record<Stage, readonly string[][]>> = {
    legacy: [],
    shadow: [['backfill'], ['shadow', '100']],
    ramp: [
      ['shadow', '0'],
      ['ramp', '100'],
    ],
    moved: [['reconcile'], ['switch']],
  };
  for (const [verb = '', ...rest] of commands[stage]) {
    for (const capability of CAPABILITIES) {
      await persevere(fig, capability, [verb, capability, ...rest], { signal });
    }
  }
}

/** Both sides have to come to the same rows, whatever was done to what lies between them. */
async function differences({ fig }: FaultyShop): Promise<string[]> {
  const broken: string[] = [];
  for (const capability of CAPABILITIES) {
    const rows = await eventually(() => countMismatches(fig, capability));
    if (rows > 0) broken.push(`fig reconcile ${capability} finds ${rows} rows that differ`);
  }
  return broken;
}
