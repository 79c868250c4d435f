import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../tests/support/index.ts';
import { ownerOf } from '../ownership/owner.ts';
import { openSides } from '../sides/sides.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { dialects, withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, DialectSides } from '../../tests/strangler/support/dialects.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { diagnose } from './diagnose.ts';
import { examine } from './examine.ts';
import type { BySide } from '../../routing/side.ts';
import { trust } from './trust.ts';

/** The process was killed; what it had begun ended with it, what it had committed did not. */
class Killed extends Error {}

/** Each of these is one transaction. */
const TRANSACTIONS = new Set([
  'step',
  'beginHandover',
  'finishHandover',
  'openAsTarget',
  'demandReconcile',
]);

/** The same databases, to somebody who is killed before their transaction of this number. */
function killedBefore(number: number, sides: BySide<SideDatabase>): BySide<SideDatabase> {
  let begun = 0;
  const doomed = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value === 'function') {
          return (...given: unknown[]): unknown => {
            if (TRANSACTIONS.has(String(name)) && begun++ === number) throw new Killed();
            return (value as (...parameters: unknown[]) => unknown).apply(of, given);
          };
        }
        return name === 'store' || name === 'checks' ? doomed(value as object) : value;
      },
    });
  return { legacy: doomed(sides.legacy), extracted: doomed(sides.extracted) };
}

const WRITE: Readonly<Record<SideName, string>> = {
  legacy: `INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 1, 0)`,
  extracted: `INSERT INTO levels (sku, on_hand) VALUES ('b', 1)`,
};

/** What the fences may have come to, for which nobody but a person knows what is right. */
const ILLS: Readonly<Record<string, readonly [legacy: string, extracted: string]>> = {
  'both open': [`state = 'open', epoch = 3`, `state = 'open', epoch = 2`],
  'nobody open': [`state = 'ceded', epoch = 2`, `state = 'closed', epoch = 0`],
};

async function withIll(
  dialect: Dialect,
  ill: string,
  use: (prompts: DialectSides, sides: BySide<SideDatabase>) => Promise<void>,
): Promise<void> {
  await withSidesOf(dialect, async (prompts) => {
    const sides = openSides(shop, prompts.urls);
    try {
      for (const side of [sides.legacy, sides.extracted]) await side.install();
      const [legacy, extracted] = ILLS[ill] ?? [];
      await prompts.legacy.run(`UPDATE fig_fence SET ${legacy}`);
      await prompts.extracted.run(`UPDATE fig_fence SET ${extracted}`);
      await use(prompts, sides);
    } finally {
      for (const side of [sides.legacy, sides.extracted]) await side.close();
    }
  });
}

async function decideFor(side: SideName, sides: BySide<SideDatabase>, as = sides): Promise<void> {
  const take = async (of: SideName) => {
    const lease = await sides[of].store.acquireLease('a person', 60_000);
    if (!lease) throw new Error('somebody else has the lease');
    return lease;
  };
  const leases = { legacy: await take('legacy'), extracted: await take('extracted') };
  const endHandover = (): Promise<string> => Promise.reject(new Error('none was to be ended'));
  const job = { capability: 'shop', mapping: shop, sides: as, leases, endHandover };
  await trust(job, { side, keep: false });
}

describe.each(inSoak<readonly Dialect[]>(dialects, ['sqlite']))(
  'a person whose decision is cut off anywhere, on %s',
  (dialect) => {
    const cases = Object.keys(ILLS).flatMap((ill) =>
      (['legacy', 'extracted'] as const).map((side) => [ill, side] as const),
    );

    it.each(dialect === 'sqlite' ? cases : inSoak(cases, cases.slice(0, 1)))(
      'with %s, makes %s the only owner by saying it again',
      async (ill, side) => {
        let kills = 0;
        for (let again = true; again; kills += again ? 1 : 0) {
          again = false;
          await withIll(dialect, ill, async (prompts, sides) => {
            try {
              await decideFor(side, sides, killedBefore(kills, sides));
            } catch (error) {
              if (!(error instanceof Killed)) throw error;
              again = true;
              const facts = await examine('shop', sides);
              expect(diagnose(facts, null).map(({ level }) => level)).toContain('broken');
              await decideFor(side, sides);
            }
            const fences = {
              legacy: await sides.legacy.store.fence(),
              extracted: await sides.extracted.store.fence(),
            };
            expect(ownerOf(fences)).toBe(side);
            await prompts[side].run(WRITE[side]);
            // As text: an error of the driver's may be of the realm of another file of tests.
            const other = otherSide(side);
            expect(await prompts[other].run(WRITE[other]).catch(String)).toMatch(/FENCED/);
          });
        }
        expect(kills).toBeGreaterThan(5);
      },
    );
  },
);
