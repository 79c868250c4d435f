import { setTimeout as delay } from 'node:timers/promises';
import type { Access } from '../access.ts';
import type { Database } from '../database.ts';
import type { Logger } from '../log.ts';
import { inSpan, parentIn } from '../trace.ts';
import { eventSpan } from './event-span.ts';
import type { Delivery, Outbox } from './outbox.ts';
import { connectEventQueues } from './queues.ts';
import type { EventQueues } from './queues.ts';

interface RelayOptions {
  readonly database: Database;
  readonly outbox: Outbox;
  /** Whose events are published here. */
  readonly sources: readonly string[];
  /** Called when there is the first event to send: most processes never publish one. */
  readonly connect: () => Promise<EventQueues>;
  readonly log: Logger;
  readonly pollMs?: number;
  /** How long an event may be on its way before it is sent again. */
  readonly resendMs?: number;
}

const BATCH = 100;
const PAUSE_WHEN_AWAY_MS = 500;
/** For the transaction that has published to commit, and for others to join it. */
const GATHER_MS = 3;

/**
 * Carries events from a database's outbox to the queues of its subscribers, each at least once. What a subscriber does
 * not confirm is sent again. The events of one aggregate are sent one after the other.
 * @returns stops it
 */
export function startEventRelay(options: RelayOptions): () => Promise<void> {
  const { database, outbox, sources, connect, log } = options;
  const { pollMs = 100, resendMs = 10_000 } = options;
  const stopping = new AbortController();
  /** Ids of events by the subscriber that has them. */
  let confirmed = new Map<string, string[]>();
  let queues: EventQueues | undefined;
  let listening = false;
  let wake = (): void => undefined;

  async function connected(): Promise<EventQueues> {
    queues ??= await connect();
    if (listening) return queues;
    // Before anything is sent: a confirmation that the publisher misses comes again only with the event.
    await queues.onConfirmed(sources, (subscriber, eventId) => {
      confirmed.set(subscriber, [...(confirmed.get(subscriber) ?? []), eventId]);
      wake();
    });
    listening = true;
    return queues;
  }

  async function confirm(): Promise<void> {
    if (confirmed.size === 0) return;
    const taken = confirmed;
    confirmed = new Map();
    await database.transaction(async (trx) => {
      for (const [subscriber, ids] of taken) await outbox.confirm(trx, subscriber, ids);
    });
  }

  async function send(): Promise<number> {
    const now = Date.now();
    const deliveries = await outbox.due(database.read, now - resendMs, BATCH);
    if (deliveries.length === 0) return 0;
    const to = await connected();
    await Promise.all(deliveries.map((delivery) => sendOne(to, delivery)));
    await database.transaction((trx) => outbox.markSent(trx, deliveries, now));
    return deliveries.length;
  }

  async function run(): Promise<void> {
    let away = false;
    while (!stopping.signal.aborted) {
      try {
        await confirm();
        if ((await send()) === BATCH) continue;
        if (away) log.info('events are on their way again');
        away = false;
        await pause(pollMs);
      } catch (error) {
        if (!away) log.warn({ err: error }, 'events wait in the outbox');
        away = true;
        await sleep(PAUSE_WHEN_AWAY_MS);
      }
    }
  }

  /** Ends early when there is something to do. */
  async function pause(ms: number): Promise<void> {
    if (confirmed.size > 0) return;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const over = new AbortController();
    const signal = AbortSignal.any([stopping.signal, over.signal]);
    const timer = delay(ms, false, { signal, ref: false }).catch(() => false);
    const early = await Promise.race([timer, woken.then(() => true)]);
    over.abort();
    if (early) await sleep(GATHER_MS);
  }

  async function sleep(ms: number): Promise<void> {
    const { signal } = stopping;
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }

  const stopListening = outbox.onPublish(() => wake());
  const running = run();
  return async () => {
    stopListening();
    stopping.abort();
    await running;
    await queues?.close();
  };
}

/** In a span of its own, where a request has caused the event. */
function sendOne(to: EventQueues, { subscriber, event }: Delivery): Promise<void> {
  const parent = parentIn(event.traceparent);
  const send = (): Promise<void> => to.send(subscriber, event);
  return parent ? inSpan(eventSpan('send', subscriber, event), parent, send) : send();
}

interface PublishingOptions extends Pick<RelayOptions, 'database' | 'outbox' | 'sources' | 'log'> {
  readonly redisUrl: string | undefined;
  readonly access: Pick<Access, 'token'>;
}

/**
 * Relays the events of a service that takes none itself. Redis is met when there is something to send; without one, events
 * wait in the outbox.
 * @returns stops it
 */
export function startPublishing(options: PublishingOptions): () => Promise<void> {
  const { redisUrl, access, log } = options;
  if (!redisUrl) return () => Promise.resolve();
  const connect = () => connectEventQueues(redisUrl, access.token, log);
  return startEventRelay({ ...options, connect });
}
