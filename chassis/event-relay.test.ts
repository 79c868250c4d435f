import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { monolithMigrations } from '../migrations/monolith/index.ts';
import { dialects, eventually, temporaryDatabase, withRedis } from '../tests/support/index.ts';
import {
  connectEventQueues,
  createDeliveryFailures,
  createEventDeadLetters,
  createInbox,
  createLog,
  createOutbox,
  startEventRelay,
} from './index.ts';
import type { Database, DomainEvent, EventQueues, EventSubscriber } from './index.ts';

const formatTime = (ms: number): string => new Date(ms).toISOString();
const outbox = createOutbox({
  table: 'EVT_OUTBOX',
  columns: {
    position: 'SEQ_NO',
    id: 'EVT_ID',
    event: 'EVT_TXT',
    sentAt: 'SENT_TS',
    createdAt: 'CRT_TS',
  },
  formatTime,
});
const inbox = createInbox({
  table: 'EVT_INBOX',
  columns: { subscriber: 'SUBSCR_NM', eventId: 'EVT_ID', createdAt: 'CRT_TS' },
  formatTime,
});
const failures = createDeliveryFailures({
  table: 'EVT_FAIL',
  columns: {
    subscriber: 'SUBSCR_NM',
    eventId: 'EVT_ID',
    attempts: 'FAIL_CNT',
    reason: 'RSN_TXT',
    deadAt: 'DEAD_TS',
  },
});

describe.each(dialects)('events that a subscriber can not take, on %s', (dialect) => {
  let database: Database;
  let stop: () => Promise<void>;
  let queues: EventQueues;
  /** What the relay has logged. */
  const lines: string[] = [];
  let closeRedis: () => void;
  let redisDone: Promise<void>;
  /** Every call of a handler, successful or not. */
  const calls: string[] = [];
  /** What a handler throws for an event; nothing for others. */
  const faults = new Map<string, Error>();

  const subscriber = (name: string): EventSubscriber => ({
    name,
    types: ['Happened'],
    handle: async (trx, { id, aggregateId }) => {
      calls.push(`${name} ${aggregateId}`);
      await trx('NTF_MSG').insert({
        EVT_ID: `${name} ${id}`,
        ORD_NO: aggregateId,
        CUST_NO: 'ALICE',
        TMPL_CD: name,
        CRT_TS: formatTime(Date.now()),
      });
      const fault = faults.get(`${name} ${aggregateId}`);
      if (fault) throw fault;
    },
  });
  const subscribers = [subscriber('good'), subscriber('bad')];
  const letters = () => createEventDeadLetters({ database, outbox, inbox, failures, subscribers });

  beforeAll(async () => {
    database = await temporaryDatabase(monolithMigrations, dialect);
    const log = createLog('relay', 'warn', { write: (line) => lines.push(line) });
    await new Promise<void>((started, failed) => {
      redisDone = withRedis(async ({ url }) => {
        queues = await connectEventQueues(url, log);
        const options = { database, outbox, inbox, failures, subscribers, queues, log };
        stop = startEventRelay({ ...options, pollMs: 10, resendMs: 40, attempts: 3 });
        started();
        await new Promise<void>((resolve) => (closeRedis = resolve));
      });
      redisDone.catch(failed);
    });
  });

  afterAll(async () => {
    await stop();
    closeRedis();
    await redisDone;
    await database.close();
  });

  const publish = (aggregateId: string) =>
    database.transaction((trx) =>
      outbox.publish(trx, { type: 'Happened', version: 1, aggregateId, data: { aggregateId } }),
    );
  const waiting = async (): Promise<string[]> =>
    ((await database.read('EVT_OUTBOX').pluck('EVT_TXT')) as string[]).map(
      (event) => (JSON.parse(event) as DomainEvent).aggregateId,
    );
  const done = async (name: string, aggregateId: string): Promise<boolean> =>
    (await database.read('NTF_MSG').where({ TMPL_CD: name, ORD_NO: aggregateId }).first()) !==
    undefined;
  const callsOf = (call: string): number => calls.filter((each) => each === call).length;
  /** The relay has looked at everything that was due since: a later event has come through. */
  async function passes(marker: string): Promise<void> {
    await publish(marker);
    await eventually(async () => expect(await waiting()).not.toContain(marker));
  }
  async function deadLetterOf(aggregateId: string): Promise<string> {
    faults.set(`bad ${aggregateId}`, new Error(`${aggregateId} has no address`));
    await publish(aggregateId);
    return eventually(async () => {
      const all = await letters().list(10);
      const own = all.find(({ reason }) => reason.startsWith(`${aggregateId} `));
      expect(own).toMatchObject({
        what: 'bad: Happened',
        reason: `${aggregateId} has no address`,
        attempts: 3,
      });
      return own?.id ?? '';
    });
  }

  it('are given up after the last attempt, for this subscriber only, and shown', async () => {
    const id = await deadLetterOf('p1');
    expect(callsOf('bad p1')).toBe(3);
    await eventually(async () => expect(await done('good', 'p1')).toBe(true));
    expect(await done('bad', 'p1')).toBe(false);
    expect(await letters().count()).toBe(1);
    expect(await letters().find(id)).toMatchObject({
      id,
      details: { type: 'Happened', data: { aggregateId: 'p1' } },
    });
    await database.transaction((trx) => trx('EVT_OUTBOX').update({ SENT_TS: 1 }));
    await passes('after p1');
    expect([callsOf('bad p1'), callsOf('good p1')]).toEqual([3, 1]);
    expect(await waiting()).toEqual(['p1']);
  });

  it('are taken when an operator retries them after the fault is gone', async () => {
    const [letter] = await letters().list(1);
    faults.clear();
    expect(await letters().retry(letter?.id ?? '')).toBe(true);
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(await done('bad', 'p1')).toBe(true);
    expect(callsOf('good p1')).toBe(1);
    expect(await letters().count()).toBe(0);
    expect(await letters().retry(letter?.id ?? '')).toBe(false);
    expect(await database.read('EVT_FAIL')).toEqual([]);
  });

  it('are dropped for good, and leave the outbox', async () => {
    const id = await deadLetterOf('p2');
    await eventually(async () => expect(await done('good', 'p2')).toBe(true));
    expect(await letters().drop(id)).toBe(true);
    expect(await letters().drop(id)).toBe(false);
    expect(await letters().drop('no-subscriber:no-event')).toBe(false);
    expect(await waiting()).toEqual([]);
    expect(await letters().count()).toBe(0);
    expect([callsOf('bad p2'), await done('bad', 'p2')]).toEqual([3, false]);
  });

  it('are not counted while it is the database that fails', async () => {
    const busy = Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
    faults.set('bad p3', busy);
    await publish('p3');
    await eventually(() => expect(callsOf('bad p3')).toBeGreaterThan(4));
    expect(await letters().count()).toBe(0);
    faults.clear();
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(await done('bad', 'p3')).toBe(true);
  });

  it('are not handed again to who has had them, however long they wait', async () => {
    const id = await deadLetterOf('p4');
    await eventually(async () => expect(await done('good', 'p4')).toBe(true));
    const later = Date.now() + 60_000;
    await database.transaction((trx) => inbox.forget(trx, later, outbox.waiting(trx)));
    await database.transaction((trx) => trx('EVT_OUTBOX').update({ SENT_TS: 1 }));
    await passes('after p4');
    expect(callsOf('good p4')).toBe(1);
    expect(await letters().drop(id)).toBe(true);
    expect(await waiting()).toEqual([]);
  });

  it('are dropped with a line where no outbox has had them, and without one where they are repeated', async () => {
    const foreign = (): number =>
      lines.filter((line) => line.includes('not from an outbox, and dropped: an event in Redis'))
        .length;
    const event = await database.transaction(async (trx) => {
      const happened = { type: 'Happened', version: 1, aggregateId: 'p5', data: {} };
      await outbox.publish(trx, happened);
      const [text] = (await trx('EVT_OUTBOX').pluck('EVT_TXT')) as [string];
      return JSON.parse(text) as DomainEvent;
    });
    expect(event.aggregateId).toBe('p5');
    await eventually(async () => expect(await waiting()).toEqual([]));
    // A queue is emptied in order: what came before the marker is no longer under way.
    await passes('after p5');
    expect([await done('good', 'p5'), await done('bad', 'p5')]).toEqual([true, true]);
    await queues.send('good', event);
    await passes('after the repeated p5');
    expect([callsOf('good p5'), foreign()]).toEqual([1, 0]);
    await queues.send('good', { ...event, id: undefined as unknown as string });
    await eventually(() => expect(foreign()).toBe(1));
    await queues.send('good', { ...event, id: 'forged' });
    await eventually(() => expect(foreign()).toBe(2));
    expect(callsOf('good p5')).toBe(1);
    expect(lines.join()).not.toContain('"forged"');
  });
});
