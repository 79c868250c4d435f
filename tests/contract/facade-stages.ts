import { SIDES } from '../../contract-check/index.ts';
import type { Capability } from '../../contract-check/index.ts';
import type { SideName } from './facade-target.ts';

/** A stage of the migration, and what an operator does to get there from the one before. */
export interface Stage {
  readonly name: string;
  /** Words for `bin/fig`, in turn; both capabilities take each step at the same time. */
  readonly steps: (capability: Capability) => readonly (readonly string[])[];
  readonly owner: SideName;
  /** Percent of reads that ask for the service. */
  readonly reads: number;
  /** The sides that answer, and no other; null where the clock decides. */
  readonly answering: readonly SideName[] | null;
  /** Whether cases wait until the side that is not the owner may show them their writes. */
  readonly patient: boolean;
}

export const CAPABILITIES = Object.keys(SIDES) as Capability[];

const flag = (name: string, share: number): readonly string[] => ['flags', 'set', name, `${share}`];

/** From nothing moved to everything moved, back, and out again. Each goes on from the last. */
export const STAGES: readonly Stage[] = [
  {
    name: 'with nothing moved',
    steps: () => [],
    owner: 'legacy',
    reads: 0,
    answering: ['legacy'],
    patient: false,
  },
  {
    name: 'with the rows copied and every read compared',
    steps: (capability) => [['backfill', capability], flag(`${capability}.shadow`, 100)],
    owner: 'legacy',
    reads: 0,
    answering: ['legacy'],
    patient: false,
  },
  {
    name: 'with half of the readers at the service',
    steps: (capability) => [flag(`${capability}.reads`, 50)],
    owner: 'legacy',
    reads: 50,
    answering: ['legacy', 'extracted'],
    patient: true,
  },
  {
    name: 'with all reads at the service',
    steps: (capability) => [flag(`${capability}.reads`, 100)],
    owner: 'legacy',
    reads: 100,
    answering: ['legacy', 'extracted'],
    patient: true,
  },
  {
    name: 'switched',
    steps: (capability) => [
      ['reconcile', capability],
      ['switch', capability],
    ],
    owner: 'extracted',
    reads: 100,
    answering: ['extracted'],
    patient: false,
  },
  {
    name: 'reversed',
    steps: (capability) => [
      ['reconcile', capability],
      ['reverse', capability],
    ],
    owner: 'legacy',
    reads: 100,
    // In a hurry here: whoever has just written is shown the owner's answer.
    answering: null,
    patient: false,
  },
  {
    name: 'switched again, with all reads at the monolith',
    steps: (capability) => [
      ['reconcile', capability],
      ['switch', capability],
      flag(`${capability}.reads`, 0),
    ],
    owner: 'extracted',
    reads: 0,
    answering: ['legacy', 'extracted'],
    patient: true,
  },
];
