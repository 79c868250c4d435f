import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { openSides } from '../sides/sides.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import { dialects, withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, Session } from '../../tests/strangler/support/dialects.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

/** Runs `work` with an installed legacy side, and a session on it. */
async function withLegacy(
  dialect: Dialect,
  work: (side: SideDatabase, session: Session) => Promise<void>,
): Promise<void> {
  await withSidesOf(dialect, async ({ urls, legacy: session }) => {
    const sides = openSides(shop, urls);
    try {
      await sides.legacy.install();
      await work(sides.legacy, session);
    } finally {
      await Promise.all([sides.legacy.close(), sides.extracted.close()]);
    }
  });
}

const insert = (id: string, capability = 'shop', outcome = 'NULL'): string =>
  `INSERT INTO fig_handover
     (id, capability, from_side, to_side, epoch, deadline, started_at, outcome)
     VALUES ('${id}', '${capability}', 'legacy', 'extracted', 2, 0, 0, ${outcome})`;

const idsOf = async (session: Session): Promise<string[]> =>
  (await session.rows<{ id: string }>('SELECT id FROM fig_handover ORDER BY id')).map(
    ({ id }) => id,
  );

/** Somebody in this database waits for a lock. */
async function someoneWaits(session: Session): Promise<void> {
  await eventually(async () =>
    expect(
      await session.rows(`SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN
        (SELECT pid FROM pg_locks WHERE database =
          (SELECT oid FROM pg_database WHERE datname = current_database()))`),
    ).toHaveLength(1),
  );
}

const record: HandoverRecord = {
  id: 'second',
  capability: 'shop',
  from: 'legacy',
  to: 'extracted',
  epoch: 2,
  deadline: 5,
  position: null,
  outcome: null,
  reason: null,
  startedAt: 1,
  finishedAt: null,
  keys: null,
};

describe.each(dialects)('unfinished handovers on %s', (dialect) => {
  it('are one for each capability, whoever writes the second', () =>
    withLegacy(dialect, async (_side, session) => {
      await session.run(insert('first'));
      await session.run(insert('other', 'till'));
      await session.run(insert('over', 'shop', "'done'"));
      await expect(session.run(insert('second'))).rejects.toMatchObject({
        message: expect.stringMatching(/unique constraint/i),
      });
      await session.run("UPDATE fig_handover SET outcome = 'aborted' WHERE id = 'first'");
      await session.run(insert('second'));
      expect(await idsOf(session)).toEqual(['first', 'other', 'over', 'second']);
    }));

  it('are one when two begin at the same moment: the second is told that it may not', () =>
    withLegacy(dialect, async ({ store }, session) => {
      const lease = await store.acquireLease('engine', 60_000);
      if (!lease) throw new Error('no lease');
      await session.run(dialect === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN');
      await session.run(insert('first'));
      // It sees nothing of the first one, and waits for it at most.
      const begun = store.beginHandover(record, lease);
      if (dialect === 'postgres') await someoneWaits(session);
      await session.run('COMMIT');
      expect(await begun).toBe(false);
      expect(await idsOf(session)).toEqual(['first']);
    }));

  it('are kept to one in a database that an earlier build made, too', () =>
    withLegacy(dialect, async (side, session) => {
      await session.run('DROP INDEX fig_handover_unfinished');
      await session.run(insert('first'));
      await side.install();
      await expect(session.run(insert('second'))).rejects.toMatchObject({
        message: expect.stringMatching(/unique constraint/i),
      });
    }));

  it('that are two in a database of an earlier build keep this one from it, by name', () =>
    withLegacy(dialect, async (side, session) => {
      await session.run('DROP INDEX fig_handover_unfinished');
      await session.run(insert('first'));
      await session.run(insert('second'));
      await expect(side.install()).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringMatching(
          /^the legacy database has 2 unfinished handovers of shop \(first, second\), .+ at most one/,
        ),
      });
      expect(await idsOf(session)).toEqual(['first', 'second']);
      await session.run("UPDATE fig_handover SET outcome = 'aborted' WHERE id = 'first'");
      await side.install();
      await expect(session.run(insert('third'))).rejects.toMatchObject({
        message: expect.stringMatching(/unique constraint/i),
      });
    }));
});
