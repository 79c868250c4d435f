import type { SideName } from '../side.ts';
import type { Sides } from './sides.ts';

/**
 * Counts the level of 'hot' up at whichever side takes the write, as fast as a timer goes.
 * @returns how to stop; tells how many writes were acknowledged
 */
export function keepWriting(sides: Sides): { stop(): number } {
  const writes = [
    sides.legacy.prepare("UPDATE STOCK SET QTY = QTY + 1 WHERE SKU = 'hot'"),
    sides.extracted.prepare("UPDATE levels SET on_hand = on_hand + 1 WHERE sku = 'hot'"),
  ];
  let acknowledged = 0;
  const timer = setInterval(() => {
    for (const write of writes) {
      try {
        acknowledged += write.run().changes;
      } catch {
        // Fenced, or the other side's turn at the lock.
      }
    }
  }, 1);
  return {
    stop: () => {
      clearInterval(timer);
      return acknowledged;
    },
  };
}

const LEVEL = {
  legacy: "SELECT QTY FROM STOCK WHERE SKU = 'hot'",
  extracted: "SELECT on_hand FROM levels WHERE sku = 'hot'",
};

/** The level of 'hot' on one side. */
export function levelAt(sides: Sides, side: SideName): unknown {
  return sides[side].prepare(LEVEL[side]).pluck().get();
}
