import { createLog } from '../../../chassis/index.ts';
import { checkCapability } from '../../../strangler/check/index.ts';
import type { CheckReport } from '../../../strangler/check/index.ts';
import { Replication } from '../../../strangler/replication/replication.ts';
import type { Mapping } from '../../../strangler/mapping/index.ts';
import type { SideDatabase } from '../../../strangler/sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';
import { openInspectors, openSides } from '../../../strangler/sides/sides.ts';
import { openDatabase } from './sessions.ts';
import type { DatabaseOptions, OpenDatabase, Session } from './sessions.ts';
import type { Dialect } from '../../../chassis/index.ts';

/** A mapping, and what the tables of both sides are made by. */
export interface Moving {
  readonly mapping: Mapping;
  readonly legacy: DatabaseOf;
  readonly extracted: DatabaseOf;
}

type DatabaseOf = readonly [dialect: Dialect, schema: string, options?: DatabaseOptions];

/** Two databases that a mapping joins, and a hand-typed session on each. */
export interface MovingSides {
  readonly urls: Readonly<Record<SideName, string>>;
  readonly sessions: Readonly<Record<SideName, Session>>;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Neither installed nor started. */
  readonly replication: Replication;
  check(): Promise<CheckReport>;
}

/** Runs `work` with two fresh databases, and removes them. */
export async function withMoving<T>(
  { mapping, legacy, extracted }: Moving,
  work: (sides: MovingSides) => Promise<T>,
): Promise<T> {
  const opened: OpenDatabase[] = [];
  let replication: Replication | undefined;
  try {
    opened.push(await openDatabase(...legacy));
    opened.push(await openDatabase(...extracted));
    const [left, right] = opened as [OpenDatabase, OpenDatabase];
    const urls = { legacy: left.url, extracted: right.url };
    const databases = openSides(mapping, urls);
    replication = new Replication({ mapping, databases, log: createLog('test', 'silent') });
    const check = async (): Promise<CheckReport> => {
      const inspectors = await openInspectors(mapping, urls);
      try {
        return await checkCapability({ mapping, inspectors, measure: true });
      } finally {
        await inspectors.legacy.close();
        await inspectors.extracted.close();
      }
    };
    return await work({
      urls,
      sessions: { legacy: left, extracted: right },
      databases,
      replication,
      check,
    });
  } finally {
    await replication?.stop();
    for (const database of opened) await database.drop();
  }
}

/** The same, installed and followed, with a whole copy. */
export function withMoved<T>(moving: Moving, work: (sides: MovingSides) => Promise<T>): Promise<T> {
  return withMoving(moving, async (sides) => {
    await sides.replication.install();
    await sides.replication.start();
    await sides.replication.backfill();
    return work(sides);
  });
}
