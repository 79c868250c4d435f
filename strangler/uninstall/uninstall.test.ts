import { describe, expect, it } from '@jest/globals';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import { openSides } from '../sides/sides.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { DialectSides } from '../../tests/strangler/support/dialects.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { uninstallCapability } from './index.ts';

const LEASE_MS = 1_500;

type Opened = Readonly<Record<SideName, SideDatabase>>;

/** Both sides, installed. */
async function withInstalled(
  dialect: (typeof dialectsOfRun)[number],
  work: (databases: Opened, sides: DialectSides) => Promise<void>,
): Promise<void> {
  await withSidesOf(dialect, async (sides) => {
    const databases = openSides(shop, sides.urls);
    try {
      await databases.legacy.install();
      await databases.extracted.install();
      await work(databases, sides);
    } finally {
      await Promise.all([databases.legacy.close(), databases.extracted.close()]);
    }
  });
}

/** Has the tables of a side taken out only when it is told to, as if somebody kept them locked. */
function heldUp(side: SideDatabase): { readonly reached: Promise<void>; goOn(): void } {
  const takeOut = side.uninstall.bind(side);
  let goOn = (): void => undefined;
  let reach = (): void => undefined;
  const told = new Promise<void>((resolve) => (goOn = resolve));
  const reached = new Promise<void>((resolve) => (reach = resolve));
  side.uninstall = async (...given) => {
    reach();
    await told;
    return takeOut(...given);
  };
  return { reached, goOn };
}

const uninstall = (sides: Opened): ReturnType<typeof uninstallCapability> =>
  uninstallCapability({ capability: 'shop', sides, strand: false, leaseMs: LEASE_MS });

describe.each(dialectsOfRun)('taking a capability out of databases on %s', (dialect) => {
  it('keeps engines away until it is done, however long that takes', () =>
    withInstalled(dialect, async (databases, sides) => {
      const { reached, goOn } = heldUp(databases.extracted);
      const removing = uninstall(databases);
      await reached;
      const expiry = async (): Promise<number> =>
        (await databases.extracted.store.lease())?.expiresAt ?? 0;
      const first = await expiry();
      await withEngine(sides, { leaseMs: LEASE_MS }, async ({ engine, lines }) => {
        const standing = (): unknown => engine.controllers.get('shop')?.standing.as;
        await eventually(() => expect(standing()).toBe('standby'));
        await eventually(async () => expect(await expiry()).toBeGreaterThan(first + LEASE_MS));
        expect(standing()).toBe('standby');
        expect(lines.join('')).not.toContain('"leading"');
      });
      // The engine has put nothing back meanwhile.
      expect(await databases.legacy.installation()).toBeUndefined();
      goOn();
      expect(await removing).toEqual({ outcome: 'removed', sides: ['legacy', 'extracted'] });
      expect(await databases.legacy.installation()).toBeUndefined();
      expect(await databases.extracted.installation()).toBeUndefined();
    }));

  it('removes nothing where somebody has taken over meanwhile', () =>
    withInstalled(dialect, async (databases, { legacy }) => {
      const { reached, goOn } = heldUp(databases.legacy);
      const removing = uninstall(databases);
      await reached;
      await legacy.run(`UPDATE fig_lease SET holder = 'an engine', token = token + 1,
        expires_at = 99999999999999`);
      goOn();
      expect(await removing).toMatchObject({ outcome: 'refused', code: 'engine_running' });
      expect(await databases.legacy.installation()).toBeDefined();
      expect(await databases.extracted.installation()).toBeDefined();
      expect(await legacy.rows('SELECT holder FROM fig_lease')).toEqual([{ holder: 'an engine' }]);
    }));
});
