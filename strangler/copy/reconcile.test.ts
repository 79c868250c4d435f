import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createLog } from '../../chassis/index.ts';
import { eventually } from '../../tests/support/index.ts';
import { DataPlane } from '../data-plane.ts';
import { openSides } from '../sides.ts';
import { contentOfExtracted, expectedOfLegacy } from '../testing/history.ts';
import { withSides } from '../testing/sides.ts';
import type { Sides } from '../testing/sides.ts';
import { shop } from '../testing/shop.ts';

async function withHotRows({ legacy }: Sides, work: () => Promise<void>): Promise<void> {
  const script = new URL('../testing/hot-writer.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', script, legacy.name], {
    stdio: 'inherit',
  });
  const ended = once(child, 'exit');
  try {
    const busy = legacy.prepare('SELECT count(*) > 20 FROM PAY').pluck();
    await eventually(() => busy.get() === 1);
    await work();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

describe('comparing both sides', () => {
  it('finds what is damaged and nothing else while another process changes the same rows', async () => {
    await withSides(async (sides) => {
      const log = createLog('test', 'silent');
      const plane = new DataPlane({ mapping: shop, databases: openSides(shop, sides.urls), log });
      await plane.install();
      await plane.start();
      sides.legacy.exec(`INSERT INTO STOCK VALUES ('calm', 1, 0, NULL)`);
      await withHotRows(sides, async () => {
        await plane.backfill();
        for (let round = 0; round < 20; round += 1) {
          const { rows, clean } = await plane.reconcile();
          expect({ rows, clean }).toEqual({ rows: [], clean: true });
        }
        sides.extracted.exec(`BEGIN IMMEDIATE; UPDATE fig_clock SET applying = 1;
          UPDATE levels SET on_hand = 2 WHERE sku = 'calm'; UPDATE fig_clock SET applying = 0; COMMIT`);
        const { rows } = await plane.reconcile();
        expect(rows).toMatchObject([{ pair: 'levels', kind: 'different', key: ['calm'] }]);
      });
      await plane.backfill({ restart: true });
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
      await plane.stop();
    });
  });
});
