import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor, terminal } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';

describe('fig uninstall', () => {
  it('removes every trace from both databases, and leaves the schemas as they were', () =>
    withSides(async (sides) => {
      const schemas = (): unknown =>
        [sides.legacy, sides.extracted].map((prompt) =>
          prompt.prepare('SELECT * FROM sqlite_schema').all(),
        );
      sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0)");
      const before = schemas();
      const fig = await withEngine(sides, {}, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        const running = await figFor(sides, url);
        for (const line of ['backfill shop', 'reconcile shop', 'switch shop']) {
          expect(await running(line)).toMatchObject({ code: 0 });
        }
        expect(await running('uninstall --dry-run')).toMatchObject({
          code: 3,
          stdout: expect.stringContaining('remove the tables and triggers of shop from legacy'),
          stderr: expect.stringContaining('an engine answers at'),
        });
        expect(await running('uninstall --yes')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(
            /an engine answers at .+; stop it first .+\nnext: fig uninstall\n/,
          ),
        });
        return running;
      });
      const nobody = { FIG_YES: '' };
      expect(await fig('uninstall', nobody)).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/legacy does not own shop: .+\nnext: fig reverse shop\n$/),
      });
      expect(await fig('uninstall --strand-data', nobody)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /^ 1\. remove the tables and triggers[^]+next: fig uninstall --strand-data --yes\n$/,
        ),
      });
      expect(await fig('uninstall shop --dry-run')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/legacy does not own shop: .+\nnext: fig reverse shop\n$/),
      });
      expect(await fig('uninstall shop --dry-run --strand-data')).toMatchObject({ code: 0 });
      expect(await fig('uninstall shop --yes')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/legacy does not own shop: .+\nnext: fig reverse shop\n$/),
      });
      expect(schemas()).not.toEqual(before);
      // As a crash within a handover leaves it.
      sides.extracted.exec(`INSERT INTO fig_handover
        (id, capability, from_side, to_side, epoch, deadline, started_at)
        VALUES ('h', 'shop', 'extracted', 'legacy', 3, 0, 0)`);
      expect(await fig('uninstall --yes --strand-data')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('handover of shop from extracted to legacy is unfinished'),
      });
      sides.extracted.exec('DELETE FROM fig_handover');
      // Another engine, which the command does not know of.
      sides.legacy.exec(`UPDATE fig_lease SET holder = 'x', expires_at = 99999999999999`);
      expect(await fig('uninstall --dry-run --strand-data')).toMatchObject({ code: 3 });
      expect(await fig('uninstall --yes --strand-data --json')).toMatchObject({ code: 3 });
      sides.legacy.exec('UPDATE fig_lease SET expires_at = 0');
      expect(await fig('uninstall --yes --strand-data')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('shop: removed from legacy and extracted'),
      });
      expect(schemas()).toEqual(before);
      expect((await fig('uninstall --yes')).stdout).toBe('shop: nothing of Fig was there\n');
      sides.legacy.exec('UPDATE STOCK SET QTY = 6');
    }));

  it('asks before it removes anything, where somebody is there to answer', () =>
    withSides(async (sides) => {
      const fig = await withEngine(sides, {}, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        return figFor(sides, url);
      });
      expect(await fig('uninstall', {}, terminal('n'))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/databases of shop\? \[y\/N\] .*nothing was changed/),
      });
      expect(await fig('uninstall', {}, terminal('y'))).toMatchObject({ code: 0 });
    }));
});
