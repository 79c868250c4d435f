/** The notification service: for those that run it, and for its tests. */
export { buildApp } from './app.ts';
export { openMailer } from './mailer.ts';
export { startOutgoing } from './outgoing.ts';
export { createNotifications } from './subscriber.ts';
