import { databaseNow } from '../../chassis/index.ts';
import type {
  Database,
  Knex,
  Lease,
  SagaRecord,
  SagaStatus,
  SagaStore,
  Transaction,
} from '../../chassis/index.ts';
import { toTimestamp } from '../legacy/index.ts';

const STATUS_OF_CODE = { F: 'forward', B: 'backward', C: 'completed', X: 'compensated' } as const;
const CODE_OF_STATUS = { forward: 'F', backward: 'B', completed: 'C', compensated: 'X' } as const;
const UNDER_WAY = ['F', 'B'];

interface SagaRow {
  readonly SAGA_ID: string;
  readonly STAT_CD: keyof typeof STATUS_OF_CODE;
  readonly STEP_NO: number;
  readonly DATA_TXT: string;
  readonly FAIL_CNT: number;
  readonly PERM_CNT: number;
  readonly PERM_TS: number | string | null;
  readonly STCK_RSN: string | null;
  readonly STCK_TS: number | string | null;
}

function toRecord<Data>(row: SagaRow): SagaRecord<Data> {
  const status: SagaStatus = STATUS_OF_CODE[row.STAT_CD];
  const data = JSON.parse(row.DATA_TXT) as Data;
  return {
    id: row.SAGA_ID,
    status,
    step: row.STEP_NO,
    data,
    failures: row.FAIL_CNT,
    // Without a time it is of an earlier build, and counts anew.
    permanent: row.PERM_TS === null ? null : { count: row.PERM_CNT, since: Number(row.PERM_TS) },
    stuck: row.STCK_TS === null ? null : { reason: row.STCK_RSN ?? '', since: Number(row.STCK_TS) },
  };
}

function stateOf<Data>(record: SagaRecord<Data>, now: number) {
  return {
    STAT_CD: CODE_OF_STATUS[record.status],
    STEP_NO: record.step,
    DATA_TXT: JSON.stringify(record.data),
    FAIL_CNT: record.failures,
    PERM_CNT: record.permanent?.count ?? 0,
    PERM_TS: record.permanent?.since ?? null,
    STCK_RSN: record.stuck?.reason ?? null,
    STCK_TS: record.stuck?.since ?? null,
    UPD_TS: toTimestamp(now),
  };
}

function columnsOf<Data>(connection: Knex, record: SagaRecord<Data>, lease: Lease) {
  return {
    ...stateOf(record, Date.now()),
    ...held(connection, lease),
    // No worker holds a saga that is stuck: it waits for an operator.
    ...(record.stuck ? { LEASE_TS: 0 } : {}),
  };
}

function held(connection: Knex, { worker, forMs }: Lease) {
  return { WRK_ID: worker, LEASE_TS: connection.raw('? + ?', [databaseNow(connection), forMs]) };
}

/** Begins a saga in the transaction of what it is about, leased to its runner. */
export async function insertSaga<Data>(
  trx: Transaction,
  type: string,
  id: string,
  data: Data,
  lease: Lease,
): Promise<SagaRecord<Data>> {
  const record: SagaRecord<Data> = {
    id,
    status: 'forward',
    step: 0,
    data,
    failures: 0,
    permanent: null,
    stuck: null,
  };
  await trx('ORD_SAGA').insert({
    SAGA_ID: id,
    TYPE_CD: type,
    CRT_TS: toTimestamp(Date.now()),
    ...columnsOf(trx, record, lease),
  });
  return record;
}

/** The sagas of one type. */
export function createSagaStore<Data>(
  database: Database,
  type: string,
): SagaStore<Data, Transaction> {
  const underWay = (connection: Database['read']) =>
    connection('ORD_SAGA')
      .where({ TYPE_CD: type })
      .whereIn('STAT_CD', UNDER_WAY)
      .whereNull('STCK_TS');

  const stuck = (connection: Database['read']) =>
    connection('ORD_SAGA').where({ TYPE_CD: type }).whereNotNull('STCK_TS');

  async function findStuck(connection: Database['read'], id: string) {
    const row = (await stuck(connection).where({ SAGA_ID: id }).first()) as SagaRow | undefined;
    return row && toRecord<Data>(row);
  }

  const free = (connection: Database['read'], { worker }: Lease) =>
    underWay(connection).where((query) => {
      void query.where('LEASE_TS', '<=', databaseNow(connection)).orWhere('WRK_ID', worker);
    });

  /** In one statement: of several that look for a saga, one takes it. */
  const take = async (trx: Knex, sagas: Knex.QueryBuilder, lease: Lease): Promise<SagaRow[]> =>
    (await sagas.update(held(trx, lease)).returning('*')) as SagaRow[];

  return {
    claim: (id, taken) =>
      database.transaction(async (trx) => {
        const [row] = await take(trx, free(trx, taken).where({ SAGA_ID: id }), taken);
        return row && toRecord<Data>(row);
      }),
    async claimAbandoned(taken, limit) {
      const abandoned = (connection: Database['read']) =>
        underWay(connection).where('LEASE_TS', '<=', databaseNow(connection));
      const oldest = (connection: Database['read']) =>
        abandoned(connection).orderBy('LEASE_TS').limit(limit).select('SAGA_ID');
      // Mostly there is none: that is seen without taking the write lock.
      if ((await oldest(database.read)).length === 0) return [];
      return database.transaction(async (trx) => {
        const rows = await take(trx, abandoned(trx).whereIn('SAGA_ID', oldest(trx)), taken);
        return rows.map((row) => toRecord<Data>(row));
      });
    },
    save: (record, lease, effect) =>
      database.transaction(async (trx) => {
        const saved = await trx('ORD_SAGA')
          .where({ SAGA_ID: record.id, WRK_ID: lease.worker })
          .update(columnsOf(trx, record, lease));
        if (saved !== 1) return false;
        await effect?.(trx);
        return true;
      }),
    async renew(lease) {
      await database.transaction(async (trx) => {
        await underWay(trx).where({ WRK_ID: lease.worker }).update(held(trx, lease));
      });
    },
    async release(worker) {
      await database.transaction(async (trx) => {
        await underWay(trx).where({ WRK_ID: worker }).update({ LEASE_TS: 0 });
      });
    },
    async listStuck(limit) {
      const rows = (await stuck(database.read)
        .orderBy(['STCK_TS', 'SAGA_ID'])
        .limit(limit)) as SagaRow[];
      return rows.map((row) => toRecord<Data>(row));
    },
    async countStuck() {
      const row = (await stuck(database.read).count({ count: '*' }).first()) as {
        count: number | string;
      };
      return Number(row.count);
    },
    async countUnderWay() {
      const rows = (await database
        .read('ORD_SAGA')
        .where({ TYPE_CD: type })
        .whereIn('STAT_CD', UNDER_WAY)
        .groupBy('STAT_CD')
        .select('STAT_CD')
        .count({ all: '*', stuck: 'STCK_TS' })) as unknown as {
        STAT_CD: keyof typeof STATUS_OF_CODE;
        all: number | string;
        stuck: number | string;
      }[];
      const counts = { forward: 0, backward: 0, stuck: 0 };
      for (const { STAT_CD, all, stuck: waiting } of rows) {
        counts[STAT_CD === 'F' ? 'forward' : 'backward'] += Number(all) - Number(waiting);
        counts.stuck += Number(waiting);
      }
      return counts;
    },
    findStuck: (id) => findStuck(database.read, id),
    decide: (id, next, effect) =>
      database.transaction(async (trx) => {
        await trx('ORD_SAGA').where({ SAGA_ID: id }).forUpdate().first('SAGA_ID');
        const record = await findStuck(trx, id);
        if (!record) return false;
        const decided = next(record);
        await trx('ORD_SAGA')
          .where({ SAGA_ID: id })
          .update({ ...stateOf(decided, Date.now()), LEASE_TS: 0 });
        await effect?.(trx, decided);
        return true;
      }),
  };
}
