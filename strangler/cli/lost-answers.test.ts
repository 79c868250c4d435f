import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { eventually, inSoak } from '../../tests/support/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { DialectSides, Session } from '../../tests/strangler/support/dialects.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';

/** Cuts every connection to a session's database but its own, as a restart does. */
async function cut({ run }: Session): Promise<void> {
  await run(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

const asSides = ({ urls, folder }: DialectSides): Sides =>
  ({ urls, folder, legacy: { name: join(folder, 'legacy.db') } }) as unknown as Sides;

describe('a command whose databases go away in the middle of a handover', () => {
  it.each<StepKind>(inSoak(['recordPosition', 'cede', 'open', 'finish'], ['cede']))(
    'looks at the journal and tells what became of it, before %s',
    (at) =>
      withSidesOf('postgres', async (sides) => {
        await sides.legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 5, 0)`);
        let armed = true;
        const onStep = async (_capability: string, step: StepKind): Promise<void> => {
          if (step !== at || !armed) return;
          armed = false;
          await cut(sides.legacy);
          await cut(sides.extracted);
        };
        await withEngine(sides, { onStep, leaseMs: 1_000 }, async ({ url, status }) => {
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          const fig = await figFor(asSides(sides), url);
          for (const line of ['backfill shop', 'reconcile shop']) {
            expect(await fig(line)).toMatchObject({ code: 0 });
          }
          const ran = await fig('switch shop');
          const { owner } = await status();
          // Done, or taken back; either way it is what the databases say.
          if (ran.code === 0) expect(owner).toBe('extracted');
          else {
            expect(owner).toBe('legacy');
            expect(ran.stderr).toMatch(/the handover was taken back: .+|nothing was moved/);
          }
          expect([0, 1]).toContain(ran.code);
          expect(ran.stderr).not.toMatch(/unforeseen|another engine/);
          expect(armed).toBe(false);
        });
      }),
  );
});
