import { defineMapping, same } from '../../../strangler/mapping/index.ts';
import type { Mapping } from '../../../strangler/mapping/index.ts';

/** The smallest mapping there is: one table, of the same name on both sides, with a key and a value. */
export const things: Mapping = defineMapping({
  capability: 'things',
  pairs: [
    {
      name: 'things',
      legacy: { table: 'thing' },
      extracted: { table: 'thing' },
      key: [same('k', 'k')],
      columns: [same('v', 'v')],
    },
  ],
});
