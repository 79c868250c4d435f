import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CompletionStep } from '../completion/index.ts';
import type { StepKind } from '../handover/switcher.ts';
import { flagsFileOf } from './engine.ts';
import type { Sides } from './sides.ts';

const SCRIPT = fileURLToPath(new URL('engine-process.ts', import.meta.url));

/** Starts an engine for the shop that sends itself a signal just before it takes a step. */
export function startDoomedEngine(
  sides: Pick<Sides, 'urls' | 'folder'>,
  step: StepKind | `complete:${CompletionStep}`,
  signal: NodeJS.Signals,
): ChildProcess {
  const files = [sides.urls.legacy, sides.urls.extracted, flagsFileOf(sides)];
  return fork(SCRIPT, [...files, step, signal], {
    execArgv: ['--import', 'tsx'],
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
