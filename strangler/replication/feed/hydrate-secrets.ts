import { secretColumnsOf, tablesOf } from '../../mapping/index.ts';
import type { Mapping, Row } from '../../mapping/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import type { Change, Slice } from '../../ledger/store.ts';

/** Completes the changes of a slice before they are applied. */
export type SecretHydrator = (slice: Slice) => Promise<Slice>;

/**
 * Adds to rows' images what no feed may hold: their secrets, as the owner's rows have them now. They
 * may be newer than the image; then a newer change is under way, and brings the same again. A row
 * that is gone by now is deleted at once: its secrets are gone with it, and the delete will come.
 * They are read before the target's transaction, so what is applied may also be older than now:
 * whatever made it so has a change of its own.
 */
export function secretHydrator(mapping: Mapping, source: SideDatabase): SecretHydrator {
  const secret = new Set(
    tablesOf(mapping, source.side).filter(
      (table) => secretColumnsOf(mapping, source.side, table).length > 0,
    ),
  );
  return async (slice) => {
    if (secret.size === 0) return slice;
    const hidden = slice.changes.filter(({ image, table }) => image !== null && secret.has(table));
    if (hidden.length === 0) return slice;
    const names = hidden.map(({ table, key }) => ({ table, key: key as Row }));
    const secrets = await source.snapshot((snapshot) => snapshot.secrets(names));
    const revealed = new Map(hidden.map((change, index) => [change, secrets[index]] as const));
    const changes = slice.changes.map((change) =>
      revealed.has(change) ? withSecrets(change, revealed.get(change)) : change,
    );
    return { ...slice, changes };
  };
}

function withSecrets(change: Change, secrets: Row | undefined): Change {
  const { position, tx, table, key, image, epoch, at } = change;
  const whole = secrets === undefined ? null : { ...image, ...secrets };
  // A refresh stays one: what is parked of its row has to make room for it.
  const op = whole === null && change.op === 'upsert' ? 'delete' : change.op;
  return { position, tx, table, key, op, image: whole, epoch, at };
}
