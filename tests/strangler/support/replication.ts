import { expect } from '@jest/globals';
import { createLog } from '../../../chassis/index.ts';
import { Replication } from '../../../strangler/replication/replication.ts';
import { openSides } from '../../../strangler/sides/sides.ts';
import { contentOfExtracted, expectedOfLegacy } from './history.ts';
import { shop } from './shop.ts';
import { withSides } from './sides.ts';
import type { Sides } from './sides.ts';

/** When rows were written last, as the legacy side says it. */
export const TIME = '2026-01-01 00:00:00.000';
/** Some thousands of rows at the legacy side. */
export const FILL = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO STOCK SELECT 'bulk' || i, i, i / 2, NULL FROM n;
  INSERT INTO PAY SELECT SKU, QTY || '.05', substr('PSD', QTY % 3 + 1, 1), '${TIME}',
    iif(QTY % 3 = 0, '${TIME}', '2026-01-02 00:00:00.000') FROM STOCK;
  INSERT INTO RFND SELECT SKU, SKU, '1.00', 'P', '${TIME}', '${TIME}' FROM STOCK WHERE QTY < 500;`;

/** Data of the shop, neither installed nor started. @param redisUrl without one, feeds are read directly */
export function makeReplication({ urls }: Pick<Sides, 'urls'>, redisUrl?: string): Replication {
  const log = createLog('test', 'silent');
  return new Replication({ mapping: shop, databases: openSides(shop, urls), redisUrl, log });
}

/**
 * Two databases of the shop, and what carries changes between them.
 * @param prepare what is in the databases before
 */
export function withReplication(
  work: (replication: Replication, sides: Sides) => Promise<void>,
  redisUrl?: string,
  prepare: (sides: Sides) => void = () => undefined,
): Promise<void> {
  return withSides(async (sides) => {
    prepare(sides);
    const replication = makeReplication(sides, redisUrl);
    await replication.install();
    await replication.start();
    try {
      await work(replication, sides);
    } finally {
      await replication.stop();
    }
  });
}

/** Both sides say the same, through the mapping. */
export function expectEqual({ legacy, extracted }: Sides): void {
  expect(contentOfExtracted(extracted)).toEqual(expectedOfLegacy(legacy));
}
