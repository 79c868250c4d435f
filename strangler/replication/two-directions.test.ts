import { expect, it } from '@jest/globals';
import { createLog } from '../../chassis/index.ts';
import { eventually } from '../../tests/support/index.ts';
import { Replication } from './replication.ts';
import { openSides } from '../sides/sides.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import { till, tillSchema } from '../../tests/strangler/support/till.ts';

it('carries both directions between two owners, also one that could not be begun at first', () =>
  withSidesOf(
    'sqlite',
    async ({ urls, legacy, extracted }) => {
      const lines: string[] = [];
      const log = createLog('test', 'info', { write: (line: string) => void lines.push(line) });
      const databases = openSides(till, urls);
      const replication = new Replication({ mapping: till, databases, log });
      await replication.install();
      await replication.start();
      const { watch } = databases.extracted;
      try {
        databases.extracted.watch = () => {
          throw new Error('no watch today');
        };
        const own = `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ('till', 'A'`;
        await legacy.run(`${own}, 'ceded', 2)`);
        await extracted.run(`${own}, 'open', 2)`);
        await extracted.run(`INSERT INTO sales VALUES ('s1', 'A', 'r1', 1)`);
        await replication.ownerChanged();
        await eventually(async () =>
          expect((await replication.status()).problem?.message).toBe(
            'changes of extracted are not carried: no watch today',
          ),
        );
        expect((await replication.status()).replicaReady).toBe(false);
        // The other direction goes on meanwhile, through many tries that are told of once.
        for (const n of [1, 2, 3]) {
          await legacy.run(`INSERT INTO "SALE" VALUES ('b${n}', 'B', 'q${n}', 1)`);
          await replication.barrier();
        }
        expect(await extracted.rows(`SELECT * FROM sales`)).toHaveLength(4);
        expect(await legacy.rows(`SELECT * FROM "SALE" WHERE "CUST_NO" = 'A'`)).toEqual([]);
        expect(lines.filter((line) => line.includes('no watch today'))).toHaveLength(1);
        databases.extracted.watch = watch.bind(databases.extracted);
        await eventually(async () =>
          expect(await legacy.rows(`SELECT * FROM "SALE" WHERE "CUST_NO" = 'A'`)).toHaveLength(1),
        );
        expect((await replication.status()).problem).toBeNull();
      } finally {
        await replication.stop();
      }
    },
    tillSchema,
  ));
