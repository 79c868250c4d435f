import type { Migration } from '../../chassis/index.ts';
import { createOutboxTables, dropOutboxTables } from '../event-tables.ts';

export const events: Migration = {
  name: '0004-events',
  up: createOutboxTables,
  down: dropOutboxTables,
};
