import type { Database } from '../database.ts';
import type { Figure } from './metrics.ts';

/** How many connections of a pool are in use, how many are free, and how many requests wait for one. */
export function databaseFigure(database: Database): Figure {
  return {
    name: 'fig_database_connections',
    help: 'Connections to the database by state; waiting: transactions that wait for one',
    labels: ['state'],
    read: () =>
      Object.entries(database.connections()).map(([state, value]) => ({
        value,
        labels: { state },
      })),
  };
}
