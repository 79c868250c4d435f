import { expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Prompt } from '../../tests/strangler/support/sides.ts';

const figTables = (side: Prompt): unknown =>
  side.prepare(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'fig%'`).pluck().get();

it('installs on both sides or on neither, and fig status says why not', () =>
  withSides(async (sides) => {
    sides.legacy.exec('BEGIN IMMEDIATE');
    await withEngine(sides, {}, async ({ status, url }) => {
      const fig = await figFor(sides, url);
      await eventually(async () => {
        const { standing } = await status();
        expect(standing).toMatchObject({ as: 'waiting', reason: expect.stringMatching(/lock/) });
        const { reason } = standing as { readonly reason: string };
        expect((await fig('status')).stdout).toContain(reason);
      });
      await eventually(() => expect(figTables(sides.extracted)).toBe(0));
      sides.legacy.exec('ROLLBACK');
      await eventually(async () => expect((await status()).standing.as).toBe('leader'));
      expect((await status()).trouble).toEqual([]);
    });
  }));
