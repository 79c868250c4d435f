import { describe, expect, it } from '@jest/globals';
import { defineMapping, same } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { openSide } from '../sides/sides.ts';
import { dialects, withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, Session } from '../../tests/strangler/support/dialects.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

const other = defineMapping({
  capability: 'other',
  pairs: [
    {
      name: 'other',
      legacy: { table: 'OTHER' },
      extracted: { table: 'others' },
      key: [same('ID', 'id')],
      columns: [],
    },
  ],
});

/** Names of everything of Fig's that a database holds. */
const OURS: Readonly<Record<Dialect, string>> = {
  sqlite: `SELECT name, tbl_name FROM sqlite_schema WHERE name LIKE 'fig%' ORDER BY name`,
  postgres: `SELECT relname AS name FROM pg_class WHERE relname LIKE 'fig%'
    UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'fig%'
    UNION ALL SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE tgname LIKE 'fig%'
    ORDER BY name`,
};

interface Stage {
  readonly legacy: Session;
  /** One more way to the same database. */
  open(mapping: Mapping): SideDatabase;
}

function withLegacy(dialect: Dialect, work: (stage: Stage) => Promise<void>): Promise<void> {
  return withSidesOf(dialect, async ({ urls, legacy }) => {
    const opened: SideDatabase[] = [];
    const open = (mapping: Mapping): SideDatabase => {
      const side = openSide(urls.legacy, mapping, 'legacy');
      opened.push(side);
      return side;
    };
    try {
      await legacy.run('CREATE TABLE "OTHER" ("ID" TEXT PRIMARY KEY)');
      await work({ legacy, open });
    } finally {
      for (const side of opened) await side.close();
    }
  });
}

describe.each(dialects)('installing on %s', (dialect) => {
  const ours = (session: Session): Promise<unknown[]> => session.rows(OURS[dialect]);

  it('may be done by many at once', () =>
    withLegacy(dialect, async ({ legacy, open }) => {
      await Promise.all(Array.from({ length: 6 }, () => open(shop).install()));
      const [fence, ...rest] = await legacy.rows<{ state: string; epoch: number | string }>(
        'SELECT state, epoch FROM fig_fence',
      );
      expect({ ...fence, epoch: Number(fence?.epoch) }).toEqual({ state: 'open', epoch: 1 });
      expect(rest).toEqual([]);
    }));

  it('leaves other capabilities of the same database alone', () =>
    withLegacy(dialect, async ({ legacy, open }) => {
      const [kept, taken] = [open(other), open(shop)];
      await kept.install();
      const before = await ours(legacy);
      await taken.install();
      const lease = await kept.store.acquireLease('a', 60_000);
      await taken.store.acquireLease('b', 60_000);
      await taken.uninstall();
      expect(await ours(legacy)).toEqual(before);
      expect(await legacy.rows('SELECT capability FROM fig_lease')).toEqual([
        { capability: lease?.capability },
      ]);
      await legacy.run(`INSERT INTO "OTHER" VALUES ('x')`);
      const { changes } = await kept.feed.read(1, 10);
      expect(changes.map(({ key }) => key)).toEqual([{ ID: 'x' }]);
    }));

  it('leaves nothing when all capabilities are taken out at once', () =>
    withLegacy(dialect, async ({ legacy, open }) => {
      const sides = [open(other), open(shop)];
      for (const side of sides) await side.install();
      // As an earlier version has made it.
      await legacy.run('CREATE TABLE fig_opening (capability TEXT NOT NULL)');
      await Promise.all(sides.map((side) => side.uninstall()));
      expect(await ours(legacy)).toEqual([]);
    }));

  it('does nothing without the lease', () =>
    withLegacy(dialect, async ({ legacy, open }) => {
      const side = open(shop);
      await side.install();
      const before = await ours(legacy);
      const lease = await side.store.acquireLease('a', 0);
      await side.store.acquireLease('b', 60_000);
      expect(await side.uninstall(lease ?? undefined)).toBe(false);
      expect(await ours(legacy)).toEqual(before);
    }));
});
