import {
  databaseNow,
  nameOf,
  newSaga,
  OPEN_STATES,
  stepsOf,
  versionsOf,
} from '../../chassis/index.ts';
import type {
  Database,
  HistoryEntry,
  Knex,
  Lease,
  OpenState,
  SagaDefinition,
  SagaRecord,
  SagaState,
  SagaStatus,
  SagaStore,
  StoredSaga,
  Transaction,
} from '../../chassis/index.ts';
import { timestampToIso, toTimestamp } from '../legacy/index.ts';
import { addToLog, readLog } from './saga-log.ts';

const STATUS_OF_CODE = { F: 'forward', B: 'backward', C: 'completed', X: 'compensated' } as const;
const CODE_OF_STATUS = { forward: 'F', backward: 'B', completed: 'C', compensated: 'X' } as const;
const UNDER_WAY = ['F', 'B'];

/** Of states in which a saga is not stuck. */
const CONDITIONS: Readonly<
  Record<Exclude<SagaState, 'stuck'>, (query: Knex.QueryBuilder) => void>
> = {
  pending: (query) => void query.where({ STAT_CD: 'F', STEP_NO: 0 }),
  running: (query) => void query.where({ STAT_CD: 'F' }).where('STEP_NO', '>', 0),
  compensating: (query) => void query.where({ STAT_CD: 'B' }),
  completed: (query) => void query.where({ STAT_CD: 'C' }),
  compensated: (query) => void query.where({ STAT_CD: 'X' }),
};

const INTERRUPTED =
  'its process ended, or lost its lease, before it recorded what had become of it';

/** A moment as PostgreSQL may give it. */
type Moment = number | string | null;

interface SagaRow {
  readonly SAGA_ID: string;
  readonly VER_NO: number;
  readonly STAT_CD: keyof typeof STATUS_OF_CODE;
  readonly STEP_NO: number;
  readonly UNK_FLG: number;
  readonly DATA_TXT: string;
  readonly ATT_NO: number;
  readonly INT_TS: Moment;
  readonly FAIL_CNT: number;
  readonly FAIL_TS: Moment;
  readonly PERM_CNT: number;
  readonly PERM_TS: Moment;
  readonly STCK_RSN: string | null;
  readonly STCK_TS: Moment;
}

interface StoredRow extends SagaRow {
  readonly WRK_ID: string;
  readonly LEFT_MS: Moment;
  readonly CRT_TS: string;
  readonly UPD_TS: string;
}

interface Traced {
  readonly traceparent?: string | null;
}

const momentOf = (value: Moment): number | null => (value === null ? null : Number(value));

function toRecord<Data>(row: SagaRow): SagaRecord<Data> {
  const status: SagaStatus = STATUS_OF_CODE[row.STAT_CD];
  // Within the data, which builds that know no traces keep as it is.
  const { traceparent = null, ...data } = JSON.parse(row.DATA_TXT) as Data & Traced;
  return {
    id: row.SAGA_ID,
    version: row.VER_NO,
    status,
    step: row.STEP_NO,
    unknown: row.UNK_FLG === 1,
    data: data as Data,
    traceparent,
    attempt: row.ATT_NO,
    failures: row.FAIL_CNT,
    failingSince: momentOf(row.FAIL_TS),
    // Without a time it is of an earlier build, and counts anew.
    permanent: row.PERM_TS === null ? null : { count: row.PERM_CNT, since: Number(row.PERM_TS) },
    stuck: row.STCK_TS === null ? null : { reason: row.STCK_RSN ?? '', since: Number(row.STCK_TS) },
    intentAt: Number(row.INT_TS ?? 0),
  };
}

function toStored<Data>(row: StoredRow): StoredSaga<Data> {
  const leftMs = Number(row.LEFT_MS);
  return {
    record: toRecord(row),
    createdAt: Date.parse(timestampToIso(row.CRT_TS)),
    updatedAt: Date.parse(timestampToIso(row.UPD_TS)),
    lease: leftMs > 0 ? { worker: row.WRK_ID, leftMs } : null,
  };
}

function columnsOf<Data>(record: SagaRecord<Data>) {
  return {
    STAT_CD: CODE_OF_STATUS[record.status],
    STEP_NO: record.step,
    UNK_FLG: record.unknown ? 1 : 0,
    DATA_TXT: JSON.stringify({ ...record.data, traceparent: record.traceparent }),
    ATT_NO: record.attempt,
    FAIL_CNT: record.failures,
    FAIL_TS: record.failingSince,
    PERM_CNT: record.permanent?.count ?? 0,
    PERM_TS: record.permanent?.since ?? null,
    STCK_RSN: record.stuck?.reason ?? null,
    STCK_TS: record.stuck?.since ?? null,
    UPD_TS: toTimestamp(Date.now()),
  };
}

function held(connection: Knex, { worker, forMs }: Lease) {
  return { WRK_ID: worker, LEASE_TS: connection.raw('? + ?', [databaseNow(connection), forMs]) };
}

/** No worker has a saga: its lease is given back, and no step is under way. */
const FREE = { LEASE_TS: 0, INT_TS: null } as const;

/**
 * A saga that its worker goes on with, and with it the intent to take its next step: who takes the saga over after a
 * crash finds it, and knows that the step may have been taken. A stuck saga waits for an operator instead.
 */
function heldWithIntent<Data>(connection: Knex, record: SagaRecord<Data>, lease: Lease) {
  const now = databaseNow(connection);
  return { ...held(connection, lease), INT_TS: now, ...(record.stuck ? FREE : {}) };
}

/** Begins a saga in the transaction of what it is about, leased to its runner. */
export async function insertSaga<Data>(
  trx: Transaction,
  { type, version }: { readonly type: string; readonly version: number },
  id: string,
  data: Data,
  lease: Lease,
): Promise<SagaRecord<Data>> {
  const record = newSaga(id, version, data);
  const [row] = (await trx('ORD_SAGA')
    .insert({
      SAGA_ID: id,
      TYPE_CD: type,
      VER_NO: version,
      CRT_TS: toTimestamp(Date.now()),
      ...columnsOf(record),
      ...heldWithIntent(trx, record, lease),
    })
    .returning('INT_TS')) as Pick<SagaRow, 'INT_TS'>[];
  return { ...record, intentAt: Number(row?.INT_TS) };
}

interface CountRow {
  readonly STAT_CD: 'F' | 'B';
  readonly VER_NO: number;
  readonly BEGUN: number;
  readonly ALL_CNT: number | string;
  readonly STCK_CNT: number | string;
}

function countsOf(rows: readonly CountRow[], versions: readonly number[]) {
  const counts = Object.fromEntries(OPEN_STATES.map((state) => [state, 0])) as Record<
    OpenState,
    number
  >;
  for (const { STAT_CD, VER_NO, BEGUN, ALL_CNT, STCK_CNT } of rows) {
    const stuck = Number(STCK_CNT);
    const working = STAT_CD === 'B' ? 'compensating' : BEGUN ? 'running' : 'pending';
    counts[versions.includes(VER_NO) ? working : 'unknown_version'] += Number(ALL_CNT) - stuck;
    counts.stuck += stuck;
  }
  return counts;
}

/** What a store has to know of its sagas' definition. */
type Kept<Data> = Pick<SagaDefinition<Data, Transaction>, 'type' | 'version' | 'steps' | 'earlier'>;

/** The sagas of one type; those of versions that their definition does not know are left alone. */
export function createSagaStore<Data>(
  database: Database,
  definition: Kept<Data>,
): SagaStore<Data, Transaction> {
  const { type } = definition;
  const versions = versionsOf(definition);
  const all = (connection: Knex) => connection('ORD_SAGA').where({ TYPE_CD: type });
  const open = (connection: Knex) => all(connection).whereIn('STAT_CD', UNDER_WAY);
  const underWay = (connection: Knex) =>
    open(connection).whereNull('STCK_TS').whereIn('VER_NO', versions);
  const abandoned = (connection: Knex) =>
    underWay(connection).where('LEASE_TS', '<=', databaseNow(connection));
  const inState = (connection: Knex, state: SagaState | undefined) => {
    if (state === undefined) return open(connection);
    if (state === 'stuck') return all(connection).whereNotNull('STCK_TS');
    return all(connection).whereNull('STCK_TS').where(CONDITIONS[state]);
  };

  /** With how long its lease lasts yet. */
  const stored = (query: Knex.QueryBuilder, connection: Knex): Knex.QueryBuilder =>
    query.select('*', {
      LEFT_MS: connection.raw('?? - ?', ['LEASE_TS', databaseNow(connection)]),
    });

  async function find(query: Knex.QueryBuilder, connection: Knex, id: string) {
    const [row] = (await stored(query.where({ SAGA_ID: id }), connection)) as StoredRow[];
    return row && toStored<Data>(row);
  }

  /**
   * Leases sagas: of several workers that look for one, one gets it. What another worker was about to do with it and
   * has not recorded is unknown.
   */
  async function take(
    trx: Transaction,
    free: Knex.QueryBuilder,
    lease: Lease,
  ): Promise<SagaRecord<Data>[]> {
    const found = (await free.forUpdate().select('*')) as StoredRow[];
    if (found.length === 0) return [];
    const interrupted = found.filter(
      ({ INT_TS, WRK_ID }) => INT_TS !== null && WRK_ID !== lease.worker,
    );
    for (const row of interrupted) await addToLog(trx, row.SAGA_ID, interruptionOf(toRecord(row)));
    const idsOf = (rows: readonly StoredRow[]) => rows.map(({ SAGA_ID }) => SAGA_ID);
    if (interrupted.length > 0) {
      await trx('ORD_SAGA').whereIn('SAGA_ID', idsOf(interrupted)).increment('ATT_NO', 1);
    }
    const rows = (await trx('ORD_SAGA')
      .whereIn('SAGA_ID', idsOf(found))
      .update({ ...held(trx, lease), INT_TS: databaseNow(trx) })
      .returning('*')) as SagaRow[];
    return rows.map((row) => toRecord<Data>(row));
  }

  function interruptionOf(record: SagaRecord<Data>): HistoryEntry {
    const { version, step, status, attempt, intentAt } = record;
    return {
      step: nameOf(stepsOf(definition, version)?.[step], step),
      direction: status === 'backward' ? 'backward' : 'forward',
      result: 'unknown',
      reason: INTERRUPTED,
      attempt,
      startedAt: intentAt,
      endedAt: intentAt,
    };
  }

  return {
    claim: (id, taken) =>
      database.transaction(async (trx) => {
        const free = underWay(trx)
          .where({ SAGA_ID: id })
          .where((query) => {
            void query.where('LEASE_TS', '<=', databaseNow(trx)).orWhere('WRK_ID', taken.worker);
          });
        return (await take(trx, free, taken))[0];
      }),
    async claimAbandoned(taken, limit) {
      const oldest = (connection: Knex) => abandoned(connection).orderBy('LEASE_TS').limit(limit);
      // Mostly there is none: that is seen without taking the write lock.
      if ((await oldest(database.read).select('SAGA_ID')).length === 0) return [];
      return database.transaction((trx) => take(trx, oldest(trx), taken));
    },
    save: (record, lease, entry, effect) =>
      database.transaction(async (trx) => {
        const [row] = (await trx('ORD_SAGA')
          .where({ SAGA_ID: record.id, WRK_ID: lease.worker })
          .update({ ...columnsOf(record), ...heldWithIntent(trx, record, lease) })
          .returning('INT_TS')) as Pick<SagaRow, 'INT_TS'>[];
        if (!row) return undefined;
        await addToLog(trx, record.id, entry);
        await effect?.(trx);
        return { ...record, intentAt: Number(row.INT_TS ?? 0) };
      }),
    async renew(lease) {
      await database.transaction(async (trx) => {
        await underWay(trx).where({ WRK_ID: lease.worker }).update(held(trx, lease));
      });
    },
    async release(worker) {
      await database.transaction(async (trx) => {
        await underWay(trx).where({ WRK_ID: worker }).update(FREE);
      });
    },
    async listStuck(limit) {
      const rows = (await inState(database.read, 'stuck')
        .orderBy(['STCK_TS', 'SAGA_ID'])
        .limit(limit)) as SagaRow[];
      return rows.map((row) => toRecord<Data>(row));
    },
    async list(limit, state) {
      const newest = inState(database.read, state).orderBy('SAGA_ID', 'desc').limit(limit);
      const rows = (await stored(newest, database.read)) as StoredRow[];
      return rows.map((row) => toStored<Data>(row));
    },
    async countOpen() {
      const { read } = database;
      const rows = (await open(read)
        .select('STAT_CD', 'VER_NO')
        .select({ BEGUN: read.raw('CASE WHEN ?? = 0 THEN 0 ELSE 1 END', ['STEP_NO']) })
        .count({ ALL_CNT: '*', STCK_CNT: 'STCK_TS' })
        .groupBy('STAT_CD', 'VER_NO', 'BEGUN')) as unknown as CountRow[];
      return countsOf(rows, versions);
    },
    find: (id) => find(all(database.read), database.read, id),
    history: (id) => readLog(database.read, id),
    decide: (id, decide) =>
      database.transaction(async (trx) => {
        const saga = await find(all(trx).forUpdate(), trx, id);
        const decision = saga && decide(saga);
        if (!decision) return;
        const { next, entry, effect } = decision;
        await trx('ORD_SAGA')
          .where({ SAGA_ID: id })
          .update({ ...columnsOf(next), ...FREE });
        await addToLog(trx, id, entry);
        await effect?.(trx);
      }),
  };
}
