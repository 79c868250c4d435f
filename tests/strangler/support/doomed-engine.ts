import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { built } from '../../support/index.ts';
import type { CompletionStep } from '../../../strangler/ownership/completion/index.ts';
import type { StepKind } from '../../../strangler/ownership/handover/switcher.ts';
import type { SideName } from '../../../routing/side.ts';
import { flagsFileOf } from './engine.ts';
import type { Sides } from './sides.ts';

const SCRIPT = built(new URL('engine-process.ts', import.meta.url));

/** Customers of the till, or all of them, and where they are to move. */
export interface CohortOrder {
  readonly to: SideName;
  readonly customers: readonly string[] | null;
}

/** Starts an engine for the shop, or for such an order of the till's, that sends itself a signal just before it takes a step. */
export function startDoomedEngine(
  sides: Pick<Sides, 'urls' | 'folder'>,
  step: StepKind | `complete:${CompletionStep}`,
  signal: NodeJS.Signals,
  order?: CohortOrder,
): ChildProcess {
  const files = [sides.urls.legacy, sides.urls.extracted, flagsFileOf(sides)];
  return fork(SCRIPT, [...files, step, signal, ...(order ? [JSON.stringify(order)] : [])], {
    execArgv: ['--enable-source-maps'],
    stdio: 'inherit',
  });
}

/** How a process ended, once it has; it may be gone by the time that somebody asks. */
export async function endOf(
  child: ChildProcess,
): Promise<readonly [code: number | null, signal: NodeJS.Signals | null]> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return [child.exitCode, child.signalCode];
}
