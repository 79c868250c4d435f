/** Events: from the outbox of one database to the inboxes of others. */
export * from './consumer.ts';
export * from './dead-letters.ts';
export * from './event.ts';
export * from './inbox.ts';
export * from './keep.ts';
export * from './outbox.ts';
export * from './queues.ts';
export * from './relay.ts';
