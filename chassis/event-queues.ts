import type { Logger } from './log.ts';
import type { DomainEvent } from './outbox.ts';
import { LATE, within } from './within.ts';

const SEND_MS = 1_000;
const CLOSE_MS = 1_000;

/** What carries events from the outbox to the inboxes. It may repeat them, reorder and lose them. */
export interface EventQueues {
  /**
   * Puts an event into a subscriber's queue.
   * @throws Error when Redis is away or does not answer within a second
   */
  send(subscriber: string, event: DomainEvent): Promise<void>;
  /** Takes a subscriber's events out, one after the other. */
  consume(subscriber: string, receive: (event: DomainEvent) => Promise<void>): void;
  close(): Promise<void>;
}

const nameOf = (subscriber: string): string => `events.${subscriber}`;

/** Events through BullMQ, one queue a subscriber. Redis may be away at any time, also at the start. */
export async function connectEventQueues(redisUrl: string, log: Logger): Promise<EventQueues> {
  // Loaded here only: most processes that use the chassis have nothing to do with queues.
  const [{ Queue, Worker }, { redisThatMayBeAway }] = await Promise.all([
    import('bullmq'),
    import('./redis/index.ts'),
  ]);
  const connect = (patient: boolean) =>
    redisThatMayBeAway(redisUrl, log, {
      lazyConnect: false,
      enableOfflineQueue: patient,
      disconnectTimeout: 100,
    });
  const producer = connect(false);
  const consumer = connect(true);
  const queues = new Map<string, InstanceType<typeof Queue<DomainEvent>>>();
  const workers: InstanceType<typeof Worker<DomainEvent>>[] = [];

  let closed = false;

  function queueOf(subscriber: string): InstanceType<typeof Queue<DomainEvent>> {
    const known = queues.get(subscriber);
    if (known) return known;
    const queue = new Queue<DomainEvent>(nameOf(subscriber), { connection: producer });
    queue.on('error', (error) => log.debug({ err: error }, 'event queue'));
    queues.set(subscriber, queue);
    return queue;
  }

  function startWorker(subscriber: string, receive: (event: DomainEvent) => Promise<void>) {
    const worker = new Worker<DomainEvent>(nameOf(subscriber), ({ data }) => receive(data), {
      connection: consumer,
    });
    worker.on('error', (error) => log.debug({ err: error }, 'event worker'));
    worker.on('failed', (job, error) => {
      log.error({ err: error, subscriber, event: job?.data }, 'an event was not taken; again soon');
    });
    return worker;
  }

  return {
    async send(subscriber, event) {
      if (producer.status !== 'ready') throw new Error('Redis is away');
      // One job for each event at a time: sending again what still waits changes nothing.
      const options = { jobId: event.id, removeOnComplete: true, removeOnFail: true };
      const added = queueOf(subscriber).add(event.type, event, options);
      if ((await within(SEND_MS, added)) === LATE) throw new Error('Redis did not answer');
    },
    consume(subscriber, receive) {
      const start = (): void => {
        if (!closed) workers.push(startWorker(subscriber, receive));
      };
      // A worker that never had a connection can't be closed in good order.
      if (consumer.status === 'ready') start();
      else consumer.once('ready', start);
    },
    async close() {
      closed = true;
      // Closing in good order talks to Redis; a worker that can't would try to connect for ever.
      const away = consumer.status !== 'ready';
      const closing = workers.map((worker) => worker.close(away));
      for (const queue of queues.values()) closing.push(queue.close());
      await within(CLOSE_MS, Promise.allSettled(closing));
      producer.disconnect();
      consumer.disconnect();
    },
  };
}
