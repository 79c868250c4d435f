import type { StepKind } from '../../../strangler/ownership/handover/switcher.ts';

/** The steps of a handover that goes well, in order: before each of them somebody may be killed. */
export const STEPS: readonly StepKind[] = [
  'hold',
  'close',
  'recordPosition',
  'awaitApplied',
  'cede',
  'open',
  'publish',
  'finish',
];
