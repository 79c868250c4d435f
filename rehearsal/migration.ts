import { setTimeout as delay } from 'node:timers/promises';
import type { CommandResult, Operator } from './operator.ts';
import type { HandoverReport } from './report.ts';
import { percentile } from './report.ts';
import { stageName } from './stages.ts';
import type { Stage } from './stages.ts';
import type { Traffic } from './traffic.ts';

interface Hold {
  readonly capability: string;
  readonly epoch: number;
  readonly ms: number;
}

interface MigrationOptions {
  readonly plan: readonly Stage[];
  readonly traffic: Traffic;
  readonly operator: Operator;
  readonly adminUrl: string;
  /** Told before each stage; a kill may be due in it. */
  onStage(stage: Stage, index: number): void;
  /** A command may fail because a process it needs was killed; then it is run again. */
  readonly patient: boolean;
}

const ATTEMPTS = 40;
const RETRY_MS = 500;

/** Takes the capabilities out and back, as an operator would, while the orders go on. */
export async function migrate(options: MigrationOptions): Promise<HandoverReport[]> {
  const handovers: HandoverReport[] = [];
  for (const [index, stage] of options.plan.entries()) {
    const next = options.plan[index + 1];
    options.traffic.allow(next?.at ?? 1);
    await options.traffic.reached(stage.at);
    options.onStage(stage, index);
    const result = await run(options, stage);
    if (stage.verb === 'switch' || stage.verb === 'reverse') {
      handovers.push(await handoverReport(options.adminUrl, stage, result));
    }
  }
  options.traffic.allow(1);
  return handovers;
}

function words(stage: Stage): string[] {
  return stage.verb === 'flag'
    ? ['flags', 'set', `${stage.capability}.${stage.flag}`, String(stage.share)]
    : [stage.verb, stage.capability];
}

async function run({ operator, patient }: MigrationOptions, stage: Stage): Promise<CommandResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await operator(...words(stage));
    if (result.code === 0) return result;
    if (!patient || attempt === ATTEMPTS) {
      throw new Error(
        `fig ${words(stage).join(' ')} ended with ${result.code} (${stageName(stage)}): ` +
          `${JSON.stringify(result.output)} ${result.errors}`,
      );
    }
    // A refusal may ask for a fresh reconcile before the same command is tried again.
    if (result.code === 3) await operator('reconcile', stage.capability);
    await delay(RETRY_MS);
  }
}

async function handoverReport(
  adminUrl: string,
  stage: Stage,
  result: CommandResult,
): Promise<HandoverReport> {
  const { epoch } = result.output as { epoch?: number };
  const held = (await holds(adminUrl))
    .filter((hold) => hold.capability === stage.capability && hold.epoch === epoch)
    .map(({ ms }) => ms);
  return {
    capability: stage.capability,
    direction: stage.verb === 'switch' ? 'forward' : 'back',
    holdMs: {
      p50: percentile(held, 0.5),
      p99: percentile(held, 0.99),
      max: percentile(held, 1),
    },
    heldWrites: held.length,
  };
}

/** The facade forgets its holds when it is killed; a report then shows none. */
async function holds(adminUrl: string): Promise<Hold[]> {
  try {
    const answer = await fetch(`${adminUrl}/holds`);
    return ((await answer.json()) as { holds: Hold[] }).holds;
  } catch {
    return [];
  }
}
