import type { Database, Knex, Transaction } from '../../chassis/index.ts';
import { PROJECTION } from './projection.ts';

/** A projection: the generation that is shown, and the one that is being built to take its place. */
export interface ProjectionState {
  readonly name: string;
  readonly live: number;
  /** Null while none is built. */
  readonly building: number | null;
  /** When the last one was begun and when it was shown; ms since 1970. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Why it does not go on, or was given up; null while all is well. */
  readonly trouble: string | null;
  /** How many events of the archives there were when it began, and how many of them are in. */
  readonly progress: { readonly replayed: number; readonly total: number } | null;
}

interface Row {
  readonly name: string;
  readonly live: number;
  readonly building: number | null;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly trouble: string | null;
}

const TABLES = ['order_rows', 'payment_rows', 'shipment_rows', 'source_rows'];

/** A database that is new builds its first generation from the archives. */
export async function ensureProjection(database: Database): Promise<void> {
  await database.transaction(async (trx) => {
    await trx('projections')
      .insert({ name: PROJECTION, live: 0, building: 1, started_at: Date.now() })
      .onConflict('name')
      .ignore();
  });
}

export async function listProjections(connection: Knex): Promise<ProjectionState[]> {
  const rows = (await connection('projections').orderBy('name')) as Row[];
  const cursors = (await connection('replay_cursors')
    .groupBy('projection')
    .select('projection')
    .sum({ replayed: 'position', total: 'head' })) as {
    projection: string;
    replayed: number | string;
    total: number | string;
  }[];
  return rows.map((row) => {
    const found = cursors.find(({ projection }) => projection === row.name);
    const building = row.building !== null;
    const [replayed, total] = [Number(found?.replayed ?? 0), Number(found?.total ?? 0)];
    return {
      name: row.name,
      live: row.live,
      building: row.building,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      trouble: row.trouble,
      progress: building ? { replayed: Math.min(replayed, total), total } : null,
    };
  });
}

/** The generations that events are applied to: the one that is shown, and the one that is built. */
export async function generations(trx: Transaction): Promise<readonly number[]> {
  const row = (await trx('projections').where({ name: PROJECTION }).first()) as Row | undefined;
  if (!row) return [];
  return row.building === null ? [row.live] : [row.live, row.building];
}

export async function liveGeneration(connection: Knex): Promise<number> {
  const row = (await connection('projections').where({ name: PROJECTION }).first('live')) as
    Pick<Row, 'live'> | undefined;
  return row?.live ?? 0;
}

/**
 * Begins to build a projection anew. From here on what happens is applied to both generations.
 * @returns `unknown`, or whether it was begun or is being built already
 */
export async function beginRebuild(
  database: Database,
  name: string,
): Promise<'unknown' | 'begun' | 'under way'> {
  return database.transaction(async (trx) => {
    const row = (await trx('projections').where({ name }).forUpdate().first()) as Row | undefined;
    if (!row) return 'unknown';
    if (row.building !== null) return 'under way';
    await trx('replay_cursors').where({ projection: name }).delete();
    await trx('projections')
      .where({ name })
      .update({
        building: row.live + 1,
        started_at: Date.now(),
        finished_at: null,
        trouble: null,
      });
    return 'begun';
  });
}

/** Shows the generation that was built. */
export async function swap(database: Database, building: number): Promise<void> {
  await database.transaction(async (trx) => {
    const changed = await trx('projections')
      .where({ name: PROJECTION, building })
      .update({ live: building, building: null, finished_at: Date.now(), trouble: null });
    if (changed === 1) await trx('replay_cursors').where({ projection: PROJECTION }).delete();
  });
}

/** Deletes the generations that were shown before. */
export async function deleteFormer(database: Database, live: number): Promise<void> {
  await deleteGenerations(database, (query) => void query.where('generation', '<', live));
}

/** Gives the generation up that is being built; the one that is shown stays. */
export async function giveUp(database: Database, building: number, why: string): Promise<void> {
  await database.transaction(async (trx) => {
    await trx('projections')
      .where({ name: PROJECTION, building })
      .update({ building: null, trouble: why });
    await trx('replay_cursors').where({ projection: PROJECTION }).delete();
  });
  await deleteGenerations(database, (query) => void query.where('generation', building));
}

async function deleteGenerations(
  database: Database,
  which: (query: Knex.QueryBuilder) => void,
): Promise<void> {
  for (const table of TABLES) {
    await database.transaction((trx) => trx(table).modify(which).delete());
  }
}
