import { asOperator } from '../system/index.ts';
import type { System } from '../system/index.ts';
import type { Drive, HandedOver } from './drive.ts';
import type { CommandResult } from './operator.ts';
import { persevere } from './persevere.ts';
import { percentile } from './report.ts';
import { stageName } from './stages.ts';
import type { Stage } from './stages.ts';

interface Hold {
  readonly capability: string;
  readonly epoch: number;
  readonly ms: number;
}

/** Takes the capabilities out and back, as an operator would, while the orders go on. */
export function migration(plan: readonly Stage[]): Drive {
  return async (setting) => {
    const { traffic, operator, patient } = setting;
    const handovers: HandedOver[] = [];
    for (const [index, stage] of plan.entries()) {
      // They may end when the last stage is done, not before.
      traffic.allow(plan[index + 1]?.at ?? stage.at);
      await traffic.reached(stage.at);
      setting.enter(`${(stage.at * 100).toFixed(0).padStart(3)} %  ${stageName(stage)}`, index);
      const manner = patient ? {} : { attempts: 1 };
      const from = Date.now();
      const result = await persevere(operator, stage.capability, words(stage), manner);
      if (stage.verb === 'switch' || stage.verb === 'reverse') {
        const to = Date.now();
        handovers.push({ ...(await handoverReport(setting.system, stage, result)), from, to });
      }
    }
    traffic.allow(1);
    return handovers;
  };
}

function words(stage: Stage): string[] {
  return stage.verb === 'flag'
    ? ['flags', 'set', `${stage.capability}.${stage.flag}`, String(stage.share)]
    : [stage.verb, stage.capability];
}

async function handoverReport(
  system: System,
  stage: Stage,
  result: CommandResult,
): Promise<Omit<HandedOver, 'from' | 'to'>> {
  const { epoch } = result.output as { epoch?: number };
  const held = (await holds(system))
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
async function holds(system: System): Promise<Hold[]> {
  try {
    const answer = await fetch(`${system.urls['admin']}/holds`, { headers: asOperator(system) });
    return ((await answer.json()) as { holds: Hold[] }).holds;
  } catch {
    return [];
  }
}
