import type { System } from '../system/index.ts';
import type { Operator } from './operator.ts';
import type { HandoverReport } from './report.ts';
import type { Traffic } from './traffic.ts';

/** What surrounds whoever moves capabilities during a rehearsal. */
export interface Setting {
  readonly system: System;
  readonly traffic: Traffic;
  /** How many writes, acknowledged by now, were under way at some time between these two, in ms since 1970. */
  liveWrites(from: number, to: number): number;
  readonly operator: Operator;
  /** A command may fail because a process it needs was killed; then it is run again. */
  readonly patient: boolean;
  /** Announces what is done next; a kill may be planned for it. */
  enter(stage: string, index: number): void;
}

/** One handover, and when it was done, in ms since 1970. */
export interface HandedOver extends Omit<HandoverReport, 'liveWrites'> {
  readonly from: number;
  readonly to: number;
}

/** Does something to the system under live orders, and says which handovers came of it. */
export type Drive = (setting: Setting) => Promise<HandedOver[]>;
