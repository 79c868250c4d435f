import { setTimeout as delay } from 'node:timers/promises';
import type { SideName } from '../../../routing/side.ts';
import type { DialectSides, Session } from './dialects.ts';

const COUNT_UP: Readonly<Record<SideName, string>> = {
  legacy: `UPDATE "STOCK" SET "QTY" = "QTY" + 1 WHERE "SKU" = 'hot' RETURNING "QTY"`,
  extracted: `UPDATE levels SET on_hand = on_hand + 1 WHERE sku = 'hot' RETURNING on_hand`,
};

/**
 * Counts the level of 'hot' up at whichever side takes the write, as fast as a timer goes.
 * @returns how to stop; tells how many writes were acknowledged
 */
export function keepWriting(sides: DialectSides): { stop(): Promise<number> } {
  let going = true;
  let acknowledged = 0;
  const write = async (session: Session, sql: string): Promise<void> => {
    while (going) {
      try {
        acknowledged += (await session.rows(sql)).length;
      } catch {
        // Fenced, or the other side's turn at the lock.
      }
      await delay(1);
    }
  };
  const writing = [
    write(sides.legacy, COUNT_UP.legacy),
    write(sides.extracted, COUNT_UP.extracted),
  ];
  return {
    stop: async () => {
      going = false;
      await Promise.all(writing);
      return acknowledged;
    },
  };
}

const LEVEL: Readonly<Record<SideName, string>> = {
  legacy: `SELECT "QTY" AS level FROM "STOCK" WHERE "SKU" = 'hot'`,
  extracted: `SELECT on_hand AS level FROM levels WHERE sku = 'hot'`,
};

/** The level of 'hot' on one side; NaN where it is not there yet. */
export async function levelAt(sides: DialectSides, side: SideName): Promise<number> {
  const [row] = await sides[side].rows<{ level: number | string }>(LEVEL[side]);
  return Number(row?.level);
}

/** Puts 'hot' where it is counted from. */
export function beginCounting({ legacy }: DialectSides): Promise<void> {
  return legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('hot', 0, 0)`);
}
