import { errorText } from '../../chassis/index.ts';
import type { ReconcileReport } from '../replication/copy/index.ts';
import { encodeRow } from '../mapping/index.ts';
import { aggregatesOf } from '../replication/parked/index.ts';
import type { ParkedAggregate } from '../replication/parked/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { CapabilityController } from './capability-controller.ts';

/** A capability of which something can't be read. */
interface Unread {
  readonly capability: string;
  readonly reason: string;
}

/** The newest comparison of each capability, with the differing rows that were kept. */
export interface LastComparisons {
  readonly reports: readonly ReconcileReport[];
  readonly unread: readonly Unread[];
}

/** Reads the newest report of each capability; one that can't be read is named. */
export async function lastComparisons(
  controllers: Iterable<CapabilityController>,
): Promise<LastComparisons> {
  const { found, unread } = await readEach(controllers, async (controller) => {
    const report = await controller.opened?.data.lastReconcile();
    return report === undefined ? [] : [report];
  });
  return { reports: found, unread };
}

/** An aggregate whose changes one side could not take. */
export interface ParkedEntry extends Omit<ParkedAggregate, 'changes'> {
  readonly capability: string;
  /** The side that could not take it. */
  readonly at: SideName;
  readonly changes: readonly {
    readonly position: number;
    readonly op: string;
    readonly table: string;
    /** The row, or its key where the row is gone, as text and without secrets. */
    readonly row: string;
  }[];
}

export interface ParkedList {
  readonly parked: readonly ParkedEntry[];
  readonly unread: readonly Unread[];
}

/** Lists what could not be applied, by aggregate. */
export async function listParked(controllers: Iterable<CapabilityController>): Promise<ParkedList> {
  const { found, unread } = await readEach(controllers, async ({ capability, opened }) => {
    const entries: ParkedEntry[] = [];
    for (const side of opened ? [opened.sides.legacy, opened.sides.extracted] : []) {
      for (const { changes, ...one } of aggregatesOf(await side.parked.list())) {
        const shown = changes.map(({ position, op, table, key, image }) => {
          return { position, op, table, row: encodeRow(image ?? key) };
        });
        entries.push({ capability, at: side.side, ...one, changes: shown });
      }
    }
    return entries;
  });
  return { parked: found, unread };
}

async function readEach<T>(
  controllers: Iterable<CapabilityController>,
  read: (controller: CapabilityController) => Promise<readonly T[]>,
): Promise<{ readonly found: readonly T[]; readonly unread: readonly Unread[] }> {
  const found: T[] = [];
  const unread: Unread[] = [];
  for (const controller of controllers) {
    try {
      found.push(...(await read(controller)));
    } catch (error) {
      unread.push({ capability: controller.capability, reason: errorText(error) });
    }
  }
  return { found, unread };
}
