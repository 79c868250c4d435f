import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dialectsOfRun, setFence, temporaryDatabase } from '../tests/support/index.ts';
import type { Database, Knex } from './database.ts';
import { createFenceGuard, FencedError } from './fence.ts';
import { ownerTransaction, rowOwnerTransaction } from './owner-transaction.ts';
import { fencedProblem } from './problem.ts';

const guard = createFenceGuard({ capability: 'bills', whenAbsent: 'open' });
const follower = createFenceGuard({ capability: 'bills', whenAbsent: 'closed' });

interface Bill {
  readonly id: string;
  readonly customer: string;
}

describe.each(dialectsOfRun)('the fences of single keys on %s', (dialect) => {
  let database: Database;

  beforeEach(async () => {
    database = await temporaryDatabase([], dialect);
    await database.transaction(async (trx) => {
      await trx.schema.createTable('bills', (t) => {
        t.text('id').primary();
        t.text('customer').notNullable();
      });
      await trx('bills').insert([
        { id: 'b-1', customer: 'ALICE' },
        { id: 'b-2', customer: 'BOB' },
        { id: 'b-3', customer: '' },
      ]);
    });
  });
  afterEach(() => database.close());

  const write = (key?: string, by = guard) =>
    ownerTransaction(database, by, () => Promise.resolve('written'), key);
  const bills = async (by = guard) => {
    const narrow = await by.openHere(database.read, 'customer');
    return (await database.read('bills').modify(narrow).orderBy('id').pluck('id')) as string[];
  };
  const refusal = async (work: Promise<unknown>): Promise<FencedError> => {
    const error = await work.catch((reason: unknown) => reason);
    if (error instanceof FencedError) return error;
    throw new Error(`not refused by a fence: ${String(error)}`);
  };

  it('are that of the rest while none has its own', async () => {
    expect([await write('ALICE'), await bills()]).toEqual(['written', ['b-1', 'b-2', 'b-3']]);
    expect((await refusal(write('ALICE', follower))).key).toBeUndefined();
    expect(await bills(follower)).toEqual([]);
    await setFence(database, 'bills', 'ceded', 2);
    const refused = await refusal(write('ALICE'));
    expect(refused).toMatchObject({ key: undefined, state: 'ceded', epoch: 2 });
    expect(await bills()).toEqual([]);
  });

  it('go before that of the rest, either way, and say whose they are', async () => {
    await setFence(database, 'bills', 'open', 1);
    await setFence(database, 'bills', 'ceded', 2, 'ALICE');
    expect([await write(), await write('BOB'), await write('')]).toEqual(Array(3).fill('written'));
    const refused = await refusal(write('ALICE'));
    expect(refused).toMatchObject({ key: 'ALICE', state: 'ceded', epoch: 2 });
    expect(refused.message).toBe('bills of "ALICE" is ceded here at epoch 2');
    expect(fencedProblem(refused).members).toEqual({
      capability: 'bills',
      key: 'ALICE',
      state: 'ceded',
      epoch: 2,
    });
    expect(await bills()).toEqual(['b-2', 'b-3']);
    await setFence(database, 'bills', 'ceded', 3);
    await setFence(database, 'bills', 'open', 3, 'ALICE');
    expect(await write('ALICE')).toBe('written');
    expect((await refusal(write('BOB'))).key).toBeUndefined();
    expect((await refusal(write())).key).toBeUndefined();
    expect(await bills()).toEqual(['b-1']);
    expect([
      await guard.looksOpen(database, 'ALICE'),
      await guard.looksOpen(database, 'BOB'),
      await guard.looksOpen(database),
    ]).toEqual([true, false, false]);
  });

  describe('of the rows that a request is about', () => {
    const find = async (connection: Knex, id: string) =>
      (await connection('bills').where({ id }).first()) as Bill | undefined;
    const pay = (id: string, named?: string) =>
      rowOwnerTransaction(
        database,
        guard,
        named,
        {
          look: (connection) => find(connection, id),
          hold: (trx) => find(trx, id),
          keyOf: (bill) => bill?.customer,
        },
        (_trx, bill) => Promise.resolve(bill?.id ?? 'no such bill'),
      );

    beforeEach(async () => {
      await setFence(database, 'bills', 'open', 1);
      await setFence(database, 'bills', 'ceded', 2, 'ALICE');
    });

    it.each(['ALICE', 'BOB', undefined])('decide, when %s is named', async (named) => {
      expect((await refusal(pay('b-1', named))).key).toBe('ALICE');
      expect(await pay('b-2', named)).toBe('b-2');
      expect(await pay('b-3', named)).toBe('b-3');
    });

    it('decide, also where they are owned here and the rest is not', async () => {
      await setFence(database, 'bills', 'ceded', 3);
      await setFence(database, 'bills', 'open', 3, 'ALICE');
      expect([await pay('b-1', 'BOB'), await pay('b-1')]).toEqual(['b-1', 'b-1']);
      expect((await refusal(pay('b-2', 'ALICE'))).key).toBeUndefined();
    });

    it('leave it to whom the request names, or to the rest, where there are none', async () => {
      expect([await pay('none', 'BOB'), await pay('none')]).toEqual(Array(2).fill('no such bill'));
      expect((await refusal(pay('none', 'ALICE'))).key).toBe('ALICE');
    });
  });
});
