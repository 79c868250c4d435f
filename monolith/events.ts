import {
  connectEventQueues,
  createEventDeadLetters,
  startEventConsumer,
  startEventRelay,
} from '../chassis/index.ts';
import type { Access, Database, DeadLetterSource, Logger } from '../chassis/index.ts';
import { outboxFigures } from '../chassis/web/index.ts';
import type { Figure } from '../chassis/web/index.ts';
import { EVENT_SOURCES, orderEvent } from '../contracts/index.ts';
import type { Publish } from './orders/index.ts';
import { outbox } from './outbox.ts';
import { createShipping } from './shipping/index.ts';

const subscribers = [createShipping()];

/** Events that shipping could not handle. */
export function createEventLetters(database: Database): DeadLetterSource {
  return createEventDeadLetters(database, subscribers);
}

/** For monitors: what waits in the outbox, and for how long. */
export function eventFigures(database: Database): readonly Figure[] {
  return outboxFigures(database, outbox);
}

/** Orders tell what happens to them through the outbox. They never move, so their epoch stays the same. */
export const publishOrderEvent: Publish = (trx, type, order) =>
  outbox.publish(trx, { ...orderEvent(type, order), epoch: 0 });

interface EventOptions {
  readonly database: Database;
  readonly redisUrl: string;
  readonly access: Access;
  readonly log: Logger;
  readonly resendMs?: number;
  readonly attempts?: number;
}

/**
 * Sends what is in the outbox, and hands shipping what it wants to know of. While Redis is away events wait in the outbox.
 * @returns stops it
 */
export async function startEvents(options: EventOptions): Promise<() => Promise<void>> {
  const { database, redisUrl, access, log } = options;
  const queues = await connectEventQueues(redisUrl, access.token, log);
  startEventConsumer({ ...options, subscribers, queues });
  const stop = startEventRelay({
    ...options,
    database,
    outbox,
    // Of inventory and payment as well, for as long as they are here.
    sources: EVENT_SOURCES,
    connect: () => Promise.resolve(queues),
  });
  return async () => {
    await stop();
    await queues.close();
  };
}
