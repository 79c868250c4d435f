import type { Migration } from '../../chassis/index.ts';
import { messages } from './0001-messages.ts';

/** The notification service's schema, oldest change first. */
export const notificationMigrations: readonly Migration[] = [messages];
