import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import {
  dialectsOfRun,
  eventually,
  temporaryDatabase,
  withRedis,
} from '../../tests/support/index.ts';
import { createLog, tokenIn } from '../index.ts';
import type { Database } from '../index.ts';
import {
  connectEventQueues,
  createEventDeadLetters,
  createInbox,
  createOutbox,
  startEventConsumer,
  startEventRelay,
} from './index.ts';
import type { DomainEvent, EventQueues, EventSubscriber } from './index.ts';

const SOURCE = '/things';

describe.each(dialectsOfRun)('events from outboxes to an inbox, on %s', (dialect) => {
  const outbox = createOutbox((type) => (type === 'Happened' ? ['good', 'bad'] : []));
  /** Two publishers, of which one hands over to the other, and the database of the subscribers. */
  let first: Database;
  let second: Database;
  let receiver: Database;
  let folder: string;
  let redisUrl: string;
  let queues: EventQueues;
  const stops: (() => Promise<void>)[] = [];
  /** What has been logged. */
  const lines: string[] = [];
  const log = createLog('events', 'warn', { write: (line) => lines.push(line) });
  let closeRedis: () => void;
  let redisDone: Promise<void>;
  /** Every call of a handler, successful or not. */
  const calls: string[] = [];
  /** What a handler throws for an event; nothing for others. */
  const faults = new Map<string, Error>();

  const nameIn = ({ data }: DomainEvent): string => (data as { name: string }).name;
  const subscriber = (name: string): EventSubscriber => ({
    name,
    types: ['Happened'],
    handle: async (trx, event) => {
      const what = nameIn(event);
      calls.push(`${name} ${what}`);
      await trx('NTF_MSG').insert({
        EVT_ID: `${name} ${event.id}`,
        ORD_NO: what,
        CUST_NO: 'ALICE',
        TMPL_CD: name,
        CRT_TS: new Date().toISOString(),
      });
      const fault = faults.get(`${name} ${what}`);
      if (fault) throw fault;
    },
  });
  const subscribers = [subscriber('good'), subscriber('bad')];
  const letters = () => createEventDeadLetters(receiver, subscribers);
  const token = () => tokenIn(join(folder, 'token'));

  function startRelay(database: Database): void {
    const connect = () => connectEventQueues(redisUrl, token(), log);
    const timing = { pollMs: 10, resendMs: 40 };
    stops.push(startEventRelay({ database, outbox, sources: [SOURCE], connect, log, ...timing }));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fig-events-'));
    writeFileSync(join(folder, 'token'), 'a-token-of-this-test-alone');
    first = await temporaryDatabase(inventoryMigrations, dialect);
    second = await temporaryDatabase(inventoryMigrations, dialect);
    receiver = await temporaryDatabase(monolithMigrations, dialect);
    await new Promise<void>((started, failed) => {
      redisDone = withRedis(async ({ url }) => {
        redisUrl = url;
        queues = await connectEventQueues(url, token(), log);
        startEventConsumer({ database: receiver, subscribers, queues, log, attempts: 3 });
        startRelay(first);
        startRelay(second);
        started();
        await new Promise<void>((resolve) => (closeRedis = resolve));
      });
      redisDone.catch(failed);
    });
  });

  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await queues.close();
    closeRedis();
    await redisDone;
    await Promise.all([first, second, receiver].map((database) => database.close()));
    await rm(folder, { recursive: true, force: true });
  });

  const draft = (subject: string, name: string) => ({
    source: SOURCE,
    type: 'Happened',
    subject,
    dataschema: 'urn:test:1',
    dataversion: 1,
    data: { name },
  });
  const publish = (name: string, { subject = name, from = first, epoch = 1 } = {}) =>
    from.transaction((trx) => outbox.publish(trx, { ...draft(subject, name), epoch }));
  const waiting = async (from = first): Promise<string[]> =>
    (
      (await from
        .read('event_deliveries as d')
        .join('event_outbox as o', 'o.sequence', 'd.sequence')
        .orderBy('d.sequence')
        .pluck('o.event')) as string[]
    ).map((event) => nameIn(JSON.parse(event) as DomainEvent));
  const done = async (name: string, what: string): Promise<boolean> =>
    (await receiver.read('NTF_MSG').where({ TMPL_CD: name, ORD_NO: what }).first()) !== undefined;
  const callsOf = (call: string): number => calls.filter((each) => each === call).length;
  /** The relay has looked at everything that was due since: a later event has come through. */
  async function passes(marker: string): Promise<void> {
    await publish(marker);
    await eventually(async () => expect(await waiting()).not.toContain(marker));
  }
  const letterOf = (reason: RegExp): Promise<string> =>
    eventually(async () => {
      const all = await letters().list(10);
      const own = all.find(({ what, reason: why }) => what === 'bad: Happened' && reason.test(why));
      expect(own).toBeDefined();
      return own?.id ?? '';
    });
  async function deadLetterOf(name: string): Promise<string> {
    faults.set(`bad ${name}`, new Error(`${name} has no address`));
    await publish(name);
    return letterOf(new RegExp(`^${name} `));
  }

  it('are given up after the last attempt, for this subscriber only, and shown', async () => {
    const id = await deadLetterOf('p1');
    expect(callsOf('bad p1')).toBe(3);
    await eventually(async () => expect(await done('good', 'p1')).toBe(true));
    expect(await done('bad', 'p1')).toBe(false);
    expect(await letters().count()).toBe(1);
    expect(await letters().find(id)).toMatchObject({
      id,
      reason: 'p1 has no address',
      attempts: 3,
      details: {
        specversion: '1.0',
        source: SOURCE,
        subject: 'p1',
        epoch: 1,
        data: { name: 'p1' },
      },
    });
    await passes('after p1');
    expect([callsOf('bad p1'), callsOf('good p1')]).toEqual([3, 1]);
    expect(await waiting()).toEqual(['p1']);
  });

  it('hold back what follows them in their stream, and nothing else', async () => {
    await publish('p1 again', { subject: 'p1' });
    await eventually(async () => expect(await done('good', 'p1 again')).toBe(true));
    await passes('after p1 again');
    expect(await done('bad', 'p1 again')).toBe(false);
  });

  it('are dead letters as before when a retry fails', async () => {
    const [letter] = await letters().list(1);
    faults.set('bad p1', new Error('p1 has moved'));
    expect(await letters().retry(letter?.id ?? '')).toBe(true);
    expect(await letters().list(1)).toMatchObject([{ reason: 'p1 has moved', attempts: 4 }]);
  });

  it('are taken when an operator retries them after the fault is gone, and then what follows', async () => {
    const [letter] = await letters().list(1);
    faults.clear();
    expect(await letters().retry(letter?.id ?? '')).toBe(true);
    expect(await done('bad', 'p1')).toBe(true);
    await eventually(async () => expect(await done('bad', 'p1 again')).toBe(true));
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(callsOf('good p1')).toBe(1);
    expect(await letters().count()).toBe(0);
    expect(await letters().retry(letter?.id ?? '')).toBe(false);
    expect(await receiver.read('event_failures')).toEqual([]);
  });

  it('are dropped for good', async () => {
    const id = await deadLetterOf('p2');
    await eventually(async () => expect(await done('good', 'p2')).toBe(true));
    expect(await letters().drop(id)).toBe(true);
    expect(await letters().drop(id)).toBe(false);
    expect(await letters().drop('no-subscriber:no-event')).toBe(false);
    await eventually(async () => expect(await waiting()).toEqual([]));
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

  it('have no second effect when they are repeated, and none when they are forged', async () => {
    const foreign = (): number =>
      lines.filter((line) => line.includes('not from an outbox with our token')).length;
    await publish('p5');
    await eventually(async () => expect(await waiting()).toEqual([]));
    const text = (await first.read('event_outbox').orderBy('sequence', 'desc').first()) as {
      event: string;
      sequence: number;
    };
    const sequence = String(text.sequence).padStart(16, '0');
    const event = { ...(JSON.parse(text.event) as DomainEvent), sequence };
    await queues.send('good', event);
    await passes('after the repeated p5');
    expect([callsOf('good p5'), foreign()]).toEqual([1, 0]);
    const queue = new Queue('events.good', { connection: { url: redisUrl } });
    try {
      const forged = { ...event, id: 'forged', data: { name: 'forged' } };
      await queue.add('Happened', { sealed: JSON.stringify(forged) });
      await queue.add('Happened', { sealed: `AAAA ${JSON.stringify(forged)}` });
      await queue.add('Happened', forged);
      await queue.add('Happened', null);
      await eventually(() => expect(foreign()).toBe(4));
    } finally {
      await queue.close();
    }
    expect([callsOf('good p5'), callsOf('good forged')]).toEqual([1, 0]);
    expect(lines.join()).not.toContain('"forged"');
  });

  it('stay in the outbox when a client of Redis without the token confirms them', async () => {
    const id = await deadLetterOf('p6');
    const stranger = await connectEventQueues(redisUrl, tokenIn('/nowhere'), log);
    const eventId = id.slice(id.indexOf(':') + 1);
    stranger.confirm('bad', { source: SOURCE, id: eventId } as DomainEvent);
    await passes('after p6');
    await stranger.close();
    expect(await waiting()).toContain('p6');
    expect(await letters().drop(id)).toBe(true);
  });

  it('of one aggregate are one stream over two owners, forward and back', async () => {
    const subject = 'moving';
    for (const [index, from] of [first, second, first].entries()) {
      const epoch = 10 + index;
      for (const step of ['a', 'b', 'c'])
        await publish(`${epoch}${step}`, { subject, from, epoch });
      await eventually(async () => expect(await waiting(from)).toEqual([]));
    }
    const order = ['10a', '10b', '10c', '11a', '11b', '11c', '12a', '12b', '12c'];
    for (const name of ['good', 'bad']) {
      const own = calls.filter((call) => call.startsWith(`${name} 1`));
      expect(own).toEqual(order.map((what) => `${name} ${what}`));
    }
  });

  it('that come too late for their place are dead letters, and change nothing', async () => {
    const subject = 'late';
    await publish('new owner', { subject, from: second, epoch: 21 });
    await eventually(async () => expect(await done('bad', 'new owner')).toBe(true));
    await eventually(async () => expect(await done('good', 'new owner')).toBe(true));
    await publish('old owner', { subject, epoch: 20 });
    const id = await letterOf(/^too late for its place: epoch 21, /);
    await eventually(async () => expect(await letters().count()).toBe(2));
    expect([await done('good', 'old owner'), await done('bad', 'old owner')]).toEqual([
      false,
      false,
    ]);
    // An operator may decide that it matters all the same.
    expect(await letters().retry(id)).toBe(true);
    expect([await done('good', 'old owner'), await done('bad', 'old owner')]).toEqual([
      false,
      true,
    ]);
    for (const letter of await letters().list(10)) await letters().drop(letter.id);
    expect(
      await createInbox().position(receiver.read, 'bad', `${SOURCE} ${subject}`),
    ).toMatchObject({
      epoch: 21,
    });
  });

  it('of one aggregate are numbered in the order of their commits', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => publish(name, { subject: 'busy' })));
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(await letters().count()).toBe(0);
    expect(calls.filter((call) => call.startsWith('good n')).toSorted()).toEqual(
      names
        .map((name) => `good ${name}`)
        .toSorted()
        .concat('good new owner')
        .toSorted(),
    );
  });

  it('stay as an archive, and are deleted from it when everybody has them', async () => {
    const all = await outbox.archive(first.read, 0, 1_000);
    expect(all.at(-1)?.event).toMatchObject({ subject: 'busy', specversion: '1.0' });
    const [, second_] = all;
    expect((await outbox.archive(first.read, second_?.sequence ?? 0, 1))[0]).toEqual(all[2]);
    const id = await deadLetterOf('p9');
    await eventually(async () => expect(await done('good', 'p9')).toBe(true));
    await eventually(async () => expect(await waiting()).toEqual(['p9']));
    await first.transaction((trx) => outbox.forget(trx, Date.now() + 60_000));
    expect((await outbox.archive(first.read, 0, 10)).map(({ event }) => nameIn(event))).toEqual([
      'p9',
    ]);
    await letters().drop(id);
  });
});
