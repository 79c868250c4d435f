import { randomUUID } from 'node:crypto';
import type { Knex, Transaction } from './database.ts';
import { givenKey } from './caller.ts';
import { canonicalJson, sha256 } from './hash.ts';
import { Problem } from './problem.ts';

/** How long a request under way keeps its key to itself before another attempt may take it over. */
export const LEASE_MS = 15_000;
/** How long an answer is kept for replay. */
export const KEPT_MS = 24 * 60 * 60 * 1000;

/** A request that must take effect once, however often it arrives. */
export interface KeyedRequest {
  /** As it is stored. */
  readonly key: string;
  /** As a build before keys had owners has stored it. */
  readonly formerKey?: string;
  /** Tells the same request from another one under the same key. */
  readonly hash: string;
  /** The same for every delivery of one attempt, also when it is routed again to a new owner. */
  readonly attemptId: string;
  /** Whom it is about, where the capability's rows belong to somebody; undefined where nobody says. */
  readonly cohortKey?: string | undefined;
}

export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A key's row. `answer` is there once the request is done. */
export interface KeyRecord {
  readonly hash: string;
  readonly attemptId: string;
  readonly leaseUntil: number | null;
  readonly resourceId: string | null;
  readonly answer: StoredAnswer | null;
  /** Whose it is; undefined where keys belong to nobody. */
  readonly cohortKey: string | undefined;
}

/** What to do with a keyed request, given what is known of its key. */
export type Admission =
  | { readonly kind: 'first' }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer }
  | { readonly kind: 'resume'; readonly resourceId: string | null };

/**
 * Hash of what makes two requests the same: method, path and body. No body and an empty one are
 * the same: which of the two arrives depends on the client and on what it passes through.
 */
export function requestHash(method: string, path: string, body: unknown): string {
  return sha256(`${method} ${path}\n${canonicalJson(body ?? {})}`);
}

/** A keyed request from its parts; key and attempt are made up where the caller gave none. */
export function keyedRequest(parts: {
  key: string | undefined;
  formerKey?: string;
  attemptId: string | undefined;
  hash: string;
  cohortKey?: string | undefined;
}): KeyedRequest {
  return {
    key: parts.key ?? `auto-${randomUUID()}`,
    ...(parts.formerKey === undefined ? {} : { formerKey: parts.formerKey }),
    hash: parts.hash,
    attemptId: parts.attemptId ?? randomUUID(),
    cohortKey: parts.cohortKey,
  };
}

/**
 * Decides about a keyed request. Pure; call it in the transaction that read the record.
 * @throws Problem 422 `idempotency_key_reused`, or 409 `request_in_flight` while another attempt
 *   holds the key's lease
 */
export function admit(
  record: KeyRecord | undefined,
  request: KeyedRequest,
  now: number,
): Admission {
  if (record === undefined) return { kind: 'first' };
  if (record.hash !== request.hash) {
    throw new Problem(
      422,
      'idempotency_key_reused',
      `Idempotency-Key ${JSON.stringify(givenKey(request.key))} was used for another request; use a new key`,
    );
  }
  if (record.answer) return { kind: 'replay', answer: record.answer };
  const leased = record.leaseUntil !== null && record.leaseUntil > now;
  if (leased && record.attemptId !== request.attemptId) {
    throw new Problem(
      409,
      'request_in_flight',
      `the request with Idempotency-Key ${JSON.stringify(givenKey(request.key))} is still being worked on; ask again`,
      { headers: { 'retry-after': '1' } },
    );
  }
  return { kind: 'resume', resourceId: record.resourceId };
}

/** How one capability's own table stores its keys. */
export interface KeyTable {
  readonly table: string;
  readonly columns: Readonly<
    Record<
      | 'key'
      | 'hash'
      | 'state'
      | 'attemptId'
      | 'leaseUntil'
      | 'resourceId'
      | 'status'
      | 'body'
      | 'createdAt',
      string
    >
  > & {
    /** Whose a key is, where the capability's rows belong to somebody. */
    readonly cohortKey?: string;
  };
  readonly states: { readonly inFlight: string; readonly done: string };
  /** A moment (ms since 1970) as the table's `createdAt` holds it; its order is the time's. */
  formatTime(ms: number): string | number;
}

/** A key whose answer nobody will ask for any more, and whose it is. */
export interface ExpiredKey {
  readonly key: string;
  readonly cohortKey?: string;
}

/** A request that no process works on any more: its lease has run out. */
export interface AbandonedKey {
  readonly key: string;
  readonly hash: string;
  readonly resourceId: string;
  readonly cohortKey?: string;
}

/** Requests that are gone on with at once. */
const ABANDONED_AT_ONCE = 10;

type SoughtKey = Pick<KeyedRequest, 'key' | 'formerKey' | 'hash'>;

/** Narrows a query to some of its rows. */
type Narrow = (query: Knex.QueryBuilder) => void;

export interface KeyStore {
  /** The column that says whose a key is; undefined where keys belong to nobody. */
  readonly cohortKey: string | undefined;
  /** Of its former key only where that was used for the very same request. */
  find(connection: Knex, request: SoughtKey): Promise<KeyRecord | undefined>;
  /** The same, and keeps others from the record until the transaction ends. */
  hold(trx: Transaction, request: SoughtKey): Promise<KeyRecord | undefined>;
  /**
   * Marks a request as under way, taking over a marker that is there already.
   * @param record what `hold` has found: where it found none, the key must still be new
   */
  begin(
    trx: Transaction,
    request: KeyedRequest,
    record: KeyRecord | undefined,
    resourceId: string,
    now: number,
  ): Promise<void>;
  /** Ends a lease early, so that the next attempt with this key may go on at once. */
  letGo(trx: Transaction, request: KeyedRequest): Promise<void>;
  /**
   * Keeps the answer, in the transaction of the request's only effect.
   * @param record what `hold` has found: where it found none, the key must still be new
   */
  answer(
    trx: Transaction,
    request: KeyedRequest,
    record: KeyRecord | undefined,
    answer: StoredAnswer,
    resourceId: string | null,
    now: number,
  ): Promise<void>;
  /** Keeps the answer to a request that was under way, in the transaction of its last effect. */
  finish(
    trx: Transaction,
    request: KeyedRequest,
    answer: StoredAnswer,
    resourceId: string | null,
    now: number,
  ): Promise<void>;
  /** Those that have left an intent behind, the longest abandoned first, at most 10 at once. */
  abandoned(connection: Knex, now: number, narrow?: Narrow): Promise<readonly AbandonedKey[]>;
  /** Answers older than a day, at most 500 at once. */
  expired(connection: Knex, now: number, narrow?: Narrow): Promise<readonly ExpiredKey[]>;
  forget(trx: Transaction, keys: readonly ExpiredKey[]): Promise<void>;
}

/** Idempotency keys in a capability's own table, where they travel with its data. */
export function createKeyStore({ table, columns: c, states, formatTime }: KeyTable): KeyStore {
  async function find(
    query: Knex.QueryBuilder,
    { key, formerKey, hash }: SoughtKey,
  ): Promise<KeyRecord | undefined> {
    const rows = (await query.whereIn(
      c.key,
      formerKey === undefined ? [key] : [key, formerKey],
    )) as Record<string, string | number | null>[];
    const row =
      rows.find((each) => each[c.key] === key) ?? rows.find((each) => each[c.hash] === hash);
    if (!row) return undefined;
    const done = row[c.state] === states.done;
    return {
      hash: String(row[c.hash]),
      attemptId: String(row[c.attemptId]),
      leaseUntil: row[c.leaseUntil] === null ? null : Number(row[c.leaseUntil]),
      resourceId: row[c.resourceId] === null ? null : String(row[c.resourceId]),
      answer: done
        ? { status: Number(row[c.status]), body: JSON.parse(String(row[c.body])) as unknown }
        : null,
      cohortKey: c.cohortKey === undefined ? undefined : String(row[c.cohortKey]),
    };
  }

  type Row = Readonly<Record<string, string | number | null>>;

  function rowOf(
    { key, hash, attemptId, cohortKey = '' }: KeyedRequest,
    resourceId: string | null,
    answer: StoredAnswer | null,
    now: number,
  ): Row {
    return {
      [c.key]: key,
      [c.hash]: hash,
      [c.state]: answer ? states.done : states.inFlight,
      [c.attemptId]: attemptId,
      [c.leaseUntil]: answer ? null : now + LEASE_MS,
      [c.resourceId]: resourceId,
      [c.status]: answer && answer.status,
      [c.body]: answer && JSON.stringify(answer.body),
      [c.createdAt]: formatTime(now),
      ...(c.cohortKey === undefined ? {} : { [c.cohortKey]: cohortKey }),
    };
  }

  /** Of two transactions that have found no record, only one writes it: the other's insert is refused, and it runs again. */
  async function insert(trx: Transaction, row: Row): Promise<void> {
    await trx(table).insert(row);
  }

  async function upsert(trx: Transaction, row: Row): Promise<void> {
    const { [c.createdAt]: _created, ...changes } = row;
    await trx(table).insert(row).onConflict(c.key).merge(changes);
  }

  const whose = c.cohortKey === undefined ? {} : { cohortKey: c.cohortKey };
  return {
    cohortKey: c.cohortKey,
    find: (connection, request) => find(connection(table), request),
    hold: (trx, request) => find(trx(table).forUpdate(), request),
    begin: (trx, request, record, resourceId, now) =>
      (record ? upsert : insert)(trx, rowOf(request, resourceId, null, now)),
    answer: (trx, request, record, answer, resourceId, now) =>
      (record ? upsert : insert)(trx, rowOf(request, resourceId, answer, now)),
    finish: (trx, request, answer, resourceId, now) =>
      upsert(trx, rowOf(request, resourceId, answer, now)),
    async letGo(trx, request) {
      await trx(table)
        .where({
          [c.key]: request.key,
          [c.attemptId]: request.attemptId,
          [c.state]: states.inFlight,
        })
        .update({ [c.leaseUntil]: 0 });
    },
    async abandoned(connection, now, narrow = () => undefined) {
      return await connection(table)
        .where(c.state, states.inFlight)
        .where(c.leaseUntil, '<=', now)
        .whereNotNull(c.resourceId)
        .modify(narrow)
        .orderBy(c.leaseUntil)
        .limit(ABANDONED_AT_ONCE)
        .select<AbandonedKey[]>({
          key: c.key,
          hash: c.hash,
          resourceId: c.resourceId,
          ...whose,
        });
    },
    async expired(connection, now, narrow = () => undefined) {
      return await connection(table)
        .where(c.createdAt, '<', formatTime(now - KEPT_MS))
        .where(c.state, states.done)
        .modify(narrow)
        .limit(500)
        .select<ExpiredKey[]>({ key: c.key, ...whose });
    },
    async forget(trx, keys) {
      const names = keys.map(({ key }) => key);
      if (names.length > 0) await trx(table).whereIn(c.key, names).delete();
    },
  };
}
