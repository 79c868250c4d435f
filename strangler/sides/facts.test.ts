import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import { createFlagFile, flagsOf, openFlags } from '../../routing/index.ts';
import { dialectsOfRun } from '../../tests/support/index.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, DialectSides } from '../../tests/strangler/support/dialects.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { ContractWatch } from '../engine/contract-watch.ts';
import { NO_FACADES } from '../engine/facade-registry.ts';
import { readGateFacts } from '../engine/gate-facts.ts';
import { statusIn } from '../engine/status.ts';
import { Replication } from '../replication/replication.ts';
import { fencesIn, readFacts } from './facts.ts';
import type { SideDatabase } from './side-database.ts';
import { openSides } from './sides.ts';
import type { BySide } from '../../routing/side.ts';

function withInstalled(
  dialect: Dialect,
  work: (opened: BySide<SideDatabase>, sides: DialectSides) => Promise<void>,
): Promise<void> {
  return withSidesOf(dialect, async (sides) => {
    const opened = openSides(shop, sides.urls);
    try {
      await opened.extracted.install();
      await opened.legacy.install();
      await work(opened, sides);
    } finally {
      await opened.legacy.close();
      await opened.extracted.close();
    }
  });
}

/** The same database, with a list of what is asked of it. */
function listening<T extends object>(name: string, target: T, asked: string[]): T {
  return new Proxy(target, {
    get: (_target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      const path = `${name}.${String(property)}`;
      if (typeof value === 'function') {
        return (...given: unknown[]): unknown => {
          asked.push(path);
          return Reflect.apply(value, target, given);
        };
      }
      return typeof value === 'object' && value !== null ? listening(path, value, asked) : value;
    },
  });
}

describe.each(dialectsOfRun)('one look at both databases on %s', (dialect) => {
  it('says the same of a fact from the first question on, and the next look what is then', () =>
    withInstalled(dialect, async (opened, { legacy }) => {
      const facts = readFacts(opened);
      expect((await fencesIn(facts)).legacy.rest).toEqual({ state: 'open', epoch: 1 });
      await legacy.run(`UPDATE fig_fence SET state = 'closed', epoch = 2`);
      expect((await facts.legacy.fences()).rest).toEqual({ state: 'open', epoch: 1 });
      expect((await readFacts(opened).legacy.fences()).rest).toEqual({ state: 'closed', epoch: 2 });
    }));

  it('tells of a side that can not be opened why, whatever is asked', () =>
    withInstalled(dialect, async ({ legacy }) => {
      const facts = readFacts({ legacy, extracted: new Error('there is no file') });
      await expect(facts.extracted.fences()).rejects.toThrow('there is no file');
      await expect(facts.extracted.drift()).rejects.toThrow('there is no file');
      await expect(facts.lagBehind('legacy')).rejects.toThrow('there is no file');
      expect(await facts.legacy.demand()).toBeNull();
    }));

  it('counts what the other side lacks of what the business has written', () =>
    withInstalled(dialect, async (opened, { legacy }) => {
      expect((await readFacts(opened).lagBehind('legacy')).lag).toEqual({ changes: 0, ms: 0 });
      await legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 5, 0), ('b', 7, 1)`);
      const { lag, position, applied } = await readFacts(opened).lagBehind('legacy');
      expect(lag.changes).toBe(2);
      expect(position).toBeGreaterThan(applied);
    }));

  it('asks each database once for what status, gates and replication all look at', () =>
    withInstalled(dialect, async (opened, { folder, urls }) => {
      const asked: string[] = [];
      const sides = {
        legacy: listening('legacy', opened.legacy, asked),
        extracted: listening('extracted', opened.extracted, asked),
      };
      const log = createLog('test', 'silent');
      const file = join(folder, 'flags.json');
      await createFlagFile(file, flagsOf('shop'));
      const env = { FIG_FLAGS_FILE: file };
      const flags = await openFlags({ env, appName: 'test', capabilities: ['shop'], log });
      const data = new Replication({ mapping: shop, databases: sides, log });
      const declaration = { urls, mapping: shop };
      const contract = new ContractWatch('shop', undefined);
      try {
        const facts = readFacts(sides);
        expect(await statusIn(facts, 'shop', flags)).toMatchObject({
          owner: 'legacy',
          trouble: [],
        });
        expect(await data.status(facts)).toMatchObject({ owner: 'legacy', parked: 0 });
        const judged = await readGateFacts(
          { sides, data, declaration, contract, facades: NO_FACADES },
          facts,
          'extracted',
        );
        expect(judged).toMatchObject({ trouble: null, source: { state: 'open', epoch: 1 } });
      } finally {
        flags.close();
      }
      expect(asked).toContain('extracted.checks.drift');
      expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted());
    }));
});
