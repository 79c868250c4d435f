import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
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
