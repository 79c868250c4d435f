import { secretColumnsOf, tablesOf } from '../mapping/index.ts';
import type { Mapping, Row } from '../mapping/index.ts';
import type { SideDatabase } from '../side-database.ts';
import type { Change } from '../store.ts';

/** Completes a change just before it is applied. */
export type Reveal = (change: Change) => Change;

/**
 * Adds to a row's image what no feed may hold: its secrets, as the owner's row has them now. They
 * may be newer than the image; then a newer change is under way, and brings the same again. A row
 * that is gone by now is deleted at once: its secrets are gone with it, and the delete will come.
 */
export function revealer(mapping: Mapping, source: SideDatabase): Reveal {
  const secret = new Set(
    tablesOf(mapping, source.side).filter(
      (table) => secretColumnsOf(mapping, source.side, table).length > 0,
    ),
  );
  if (secret.size === 0) return (change) => change;
  return (change) => {
    const { position, tx, table, key, image, epoch, at } = change;
    if (image === null || !secret.has(table)) return change;
    const secrets = source.snapshot((snapshot) => snapshot.secrets(table, key as Row));
    const whole = secrets === undefined ? null : { ...image, ...secrets };
    // A refresh stays one: what is parked of its row has to make room for it.
    const op = whole === null && change.op === 'upsert' ? 'delete' : change.op;
    return { position, tx, table, key, op, image: whole, epoch, at };
  };
}
