import type { Express } from 'express';
import { codeVersion, createEventDeadLetters, isDatabaseReady } from '../../chassis/index.ts';
import type { Access, Database, EventSubscriber, Logger } from '../../chassis/index.ts';
import { createHttpApp, databaseFigure } from '../../chassis/web/index.ts';
import { countMessages, refusedMessages } from './messages.ts';

interface NotificationAppDeps {
  readonly database: Database;
  readonly subscriber: EventSubscriber;
  readonly log: Logger;
  readonly access: Access;
}

/** What the notification service serves: no operation of the contract, only what operators ask for. */
export function buildApp({ database, subscriber, log, access }: NotificationAppDeps): Express {
  return createHttpApp({
    name: 'notification',
    version: codeVersion('extracted/notification'),
    log,
    access,
    routes: [],
    deadLetters: {
      event: createEventDeadLetters(database, [subscriber]),
      message: refusedMessages(database),
    },
    readiness: { database: () => isDatabaseReady(database, 'messages') },
    figures: [
      databaseFigure(database),
      {
        name: 'fig_messages',
        help: 'Messages to customers by state: recorded, waiting, sent, refused',
        labels: ['state'],
        read: async () =>
          (await countMessages(database.read)).map(({ state, count }) => {
            return { value: count, labels: { state } };
          }),
      },
    ],
  });
}
