import type { Logger } from '../log.ts';
import type { OperatorToken } from '../operator-token.ts';
import { LATE, within } from '../within.ts';
import type { DomainEvent } from './event.ts';

const SEND_MS = 1_000;
const CLOSE_MS = 1_000;
/** For how long an event is one process's without a sign of life: BullMQ's own half minute is long for a mail. */
const LOCK_MS = 5_000;
/** The line leaves out what the message says: its sender chooses the text and the length. */
const FOREIGN = 'not from an outbox with our token, and dropped: an event in Redis';

/** What carries events from outboxes to inboxes, and back that they arrived. It may repeat, reorder and lose both. */
export interface EventQueues {
  /**
   * Puts an event into a subscriber's queue.
   * @throws Error when Redis is away or does not answer within a second
   */
  send(subscriber: string, event: DomainEvent): Promise<void>;
  /** Takes a subscriber's events out, one after the other; forged ones are dropped. */
  consume(subscriber: string, receive: (event: DomainEvent) => Promise<void>): void;
  /** Tells the publishers of an event that a subscriber has it. One that does not hear it sends the event again. */
  confirm(subscriber: string, event: DomainEvent): void;
  /**
   * Calls back for what is confirmed of the events of these sources, from when it resolves.
   * @throws Error when Redis is away or does not answer within a second
   */
  onConfirmed(
    sources: readonly string[],
    callback: (subscriber: string, eventId: string) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

const queueOf = (subscriber: string): string => `events.${subscriber}`;
const channelOf = (source: string): string => `fig:events:confirmed:${source}`;

/** What a job holds: every client of Redis can put one there, so that the event comes with a proof. */
interface SealedEvent {
  readonly sealed: string;
}

/** Events through BullMQ, one queue a subscriber. Redis may be away at any time, also at the start. */
export async function connectEventQueues(
  redisUrl: string,
  token: OperatorToken,
  log: Logger,
): Promise<EventQueues> {
  // Loaded here only: most processes that use the chassis have nothing to do with queues.
  const [{ Queue, Worker }, { redisThatMayBeAway }] = await Promise.all([
    import('bullmq'),
    import('../redis/index.ts'),
  ]);
  const connect = (patient: boolean) =>
    redisThatMayBeAway(redisUrl, log, {
      lazyConnect: false,
      enableOfflineQueue: patient,
      disconnectTimeout: 100,
    });
  const producer = connect(false);
  /** Of those that wait for messages, made when they are needed. */
  const waiting: ReturnType<typeof connect>[] = [];
  const queues = new Map<string, InstanceType<typeof Queue<SealedEvent>>>();
  const workers: InstanceType<typeof Worker<SealedEvent>>[] = [];
  let closed = false;

  function connectPatiently(): ReturnType<typeof connect> {
    const connection = connect(true);
    waiting.push(connection);
    return connection;
  }

  function queueFor(subscriber: string): InstanceType<typeof Queue<SealedEvent>> {
    const known = queues.get(subscriber);
    if (known) return known;
    const queue = new Queue<SealedEvent>(queueOf(subscriber), { connection: producer });
    queue.on('error', (error) => log.debug({ err: error }, 'event queue'));
    queues.set(subscriber, queue);
    return queue;
  }

  function unsealed(purpose: string, sealed: unknown): unknown {
    const text = typeof sealed === 'string' ? token.unseal(purpose, sealed) : undefined;
    try {
      if (text !== undefined) return JSON.parse(text) as unknown;
    } catch {
      // Where there is no token, everything is unsealed.
    }
    log.warn({ purpose }, FOREIGN);
    return undefined;
  }

  function startWorker(
    subscriber: string,
    connection: ReturnType<typeof connect>,
    receive: (event: DomainEvent) => Promise<void>,
  ) {
    const worker = new Worker<SealedEvent>(
      queueOf(subscriber),
      async ({ data }) => {
        const sealed = (data as SealedEvent | null)?.sealed;
        const event = unsealed(`event:${subscriber}`, sealed);
        if (event) await receive(event as DomainEvent);
      },
      // What a killed process had in hand is given to another one, or to its successor, this soon after.
      { connection, lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2 },
    );
    worker.on('error', (error) => log.debug({ err: error }, 'event worker'));
    worker.on('failed', (job, error) => {
      log.error({ err: error, subscriber, event: job?.id }, 'an event was not taken; again soon');
    });
    return worker;
  }

  async function onceReady(connection: ReturnType<typeof connect>): Promise<void> {
    if (connection.status === 'ready') return;
    await new Promise<void>((resolve) => connection.once('ready', () => resolve()));
  }

  return {
    async send(subscriber, event) {
      if (producer.status !== 'ready') throw new Error('Redis is away');
      const sealed = token.seal(`event:${subscriber}`, JSON.stringify(event));
      // One job for each event at a time: sending again what still waits changes nothing.
      const options = { jobId: event.id, removeOnComplete: true, removeOnFail: true };
      const added = queueFor(subscriber).add(event.type, { sealed }, options);
      if ((await within(SEND_MS, added)) === LATE) throw new Error('Redis did not answer');
    },
    consume(subscriber, receive) {
      const connection = connectPatiently();
      const start = (): void => {
        if (!closed) workers.push(startWorker(subscriber, connection, receive));
      };
      // A worker that never had a connection can't be closed in good order, and one without the other could confirm
      // nothing.
      void Promise.all([onceReady(connection), onceReady(producer)]).then(start);
    },
    confirm(subscriber, { source, id }) {
      if (producer.status !== 'ready') return;
      const sealed = token.seal('event-confirmed', JSON.stringify([subscriber, id]));
      producer.publish(channelOf(source), sealed).catch(() => undefined);
    },
    async onConfirmed(sources, callback) {
      const connection = connectPatiently();
      connection.on('message', (_channel, sealed) => {
        const confirmed = unsealed('event-confirmed', sealed);
        if (confirmed) callback(...(confirmed as readonly [string, string]));
      });
      const subscribed = connection.subscribe(...sources.map(channelOf));
      if ((await within(SEND_MS, subscribed)) === LATE) {
        connection.disconnect();
        throw new Error('Redis is away');
      }
    },
    async close() {
      closed = true;
      // Closing in good order talks to Redis; a worker that can't would try to connect for ever.
      const away = producer.status !== 'ready';
      const closing = workers.map((worker) => worker.close(away));
      for (const queue of queues.values()) closing.push(queue.close());
      await within(CLOSE_MS, Promise.allSettled(closing));
      for (const connection of [producer, ...waiting]) connection.disconnect();
    },
  };
}
