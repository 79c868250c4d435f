import { defineMapping, same } from '../../../strangler/mapping/index.ts';

/** A capability of one table whose ids the databases give out by themselves. */
export const desk = defineMapping({
  capability: 'desk',
  pairs: [
    {
      name: 'tickets',
      legacy: { table: 'TICKET' },
      extracted: { table: 'tickets' },
      key: [same('ID', 'id')],
      columns: [same('TXT', 'text')],
    },
  ],
});

export const deskSchema = {
  legacy: 'CREATE TABLE TICKET (ID INTEGER PRIMARY KEY AUTOINCREMENT, TXT TEXT NOT NULL);',
  extracted: 'CREATE TABLE tickets (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL);',
} as const;
