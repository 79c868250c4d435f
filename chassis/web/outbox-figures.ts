import type { Database } from '../database.ts';
import type { Outbox } from '../events/outbox.ts';
import type { Figure } from './metrics.ts';

/** For monitors: what waits in a database's outbox, and for how long. */
export function outboxFigures({ read }: Database, outbox: Outbox): readonly Figure[] {
  return [
    {
      name: 'fig_outbox_events',
      help: 'Events that at least one subscriber has not received',
      read: async () => [{ value: (await outbox.backlog(read)).events }],
    },
    {
      name: 'fig_outbox_oldest_seconds',
      help: 'Age of the oldest event that a subscriber has not received; 0 without any',
      read: async () => {
        const { oldest } = await outbox.backlog(read);
        return [{ value: oldest === null ? 0 : (Date.now() - oldest) / 1_000 }];
      },
    },
  ];
}
