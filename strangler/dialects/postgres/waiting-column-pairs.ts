import { decodeRow, encodeRow, encodeValues, toAscii } from '../../mapping/index.ts';
import type { Pair, PairKey, Row } from '../../mapping/index.ts';
import type { WaitingColumns } from '../../replication/shared-table.ts';
import type { PostgresClient } from './connection.ts';

interface Waiting {
  readonly pair: string;
  readonly key: string;
  readonly was: Row | undefined;
  now: Row | undefined;
}

/** `WaitingColumns` in fig_waiting, read before the writes and saved after them. */
export class WaitingColumnPairs implements WaitingColumns {
  readonly #client: PostgresClient;
  readonly #capability: string;
  readonly #waiting = new Map<string, Waiting>();

  constructor(client: PostgresClient, capability: string) {
    this.#client = client;
    this.#capability = capability;
  }

  /** Reads what is kept under these keys. */
  async load(keys: readonly (readonly [Pair, PairKey])[]): Promise<void> {
    const { rows } = await this.#client.query<{ pair: string; key: string; image: string }>(
      `SELECT w.pair, w.key, w.image FROM fig_waiting w
         JOIN unnest($2::text[], $3::text[]) u (pair, key) USING (pair, key)
         WHERE w.capability = $1`,
      [this.#capability, keys.map(([pair]) => pair.name), keys.map(([, key]) => named(key))],
    );
    for (const { pair, key, image } of rows) {
      const kept = decodeRow(image);
      this.#waiting.set(`${pair} ${key}`, { pair, key, was: kept, now: kept });
    }
  }

  keep(columnPair: Pair, key: PairKey, image: Row): void {
    this.#of(columnPair, key).now = image;
  }

  take(columnPair: Pair, key: PairKey): Row | undefined {
    const waiting = this.#of(columnPair, key);
    const { now } = waiting;
    waiting.now = undefined;
    return now;
  }

  async save(): Promise<void> {
    const changed = [...this.#waiting.values()].filter(({ was, now }) => was !== now);
    const gone = changed.filter(({ now }) => now === undefined);
    const kept = changed.filter(({ now }) => now !== undefined);
    if (gone.length > 0) {
      await this.#client.query(
        `DELETE FROM fig_waiting w USING unnest($2::text[], $3::text[]) u (pair, key)
           WHERE w.capability = $1 AND w.pair = u.pair AND w.key = u.key`,
        [this.#capability, gone.map(({ pair }) => pair), gone.map(({ key }) => key)],
      );
    }
    if (kept.length === 0) return;
    await this.#client.query(
      `INSERT INTO fig_waiting (capability, pair, key, image)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])
         ON CONFLICT (capability, pair, key) DO UPDATE SET image = excluded.image`,
      [
        this.#capability,
        kept.map(({ pair }) => pair),
        kept.map(({ key }) => key),
        kept.map(({ now }) => toAscii(encodeRow(now as Row))),
      ],
    );
  }

  #of({ name }: Pair, key: PairKey): Waiting {
    const encoded = named(key);
    const known = this.#waiting.get(`${name} ${encoded}`);
    if (known !== undefined) return known;
    const fresh: Waiting = { pair: name, key: encoded, was: undefined, now: undefined };
    this.#waiting.set(`${name} ${encoded}`, fresh);
    return fresh;
  }
}

/** In ASCII, since the database may have an encoding of its own. */
function named(key: PairKey): string {
  return toAscii(encodeValues(key));
}
