import type { Dialect, Transaction } from '../../chassis/index.ts';

interface Copied {
  readonly capability: string;
  readonly tables: readonly string[];
}

/** Where changes of a capability's rows are noted, with the rows as they are then, as JSON. */
export const LOG = (capability: string): string => `copier_log_${capability}`;
/** One row, which says in a transaction of the copier's own that its changes are not to be noted. */
export const STATE = (capability: string): string => `copier_state_${capability}`;

/** Has every insert and update noted from now on; what is noted by others' transactions stays theirs. */
export async function installCopier(
  trx: Transaction,
  dialect: Dialect,
  { capability, tables }: Copied,
): Promise<void> {
  const [log, state] = [LOG(capability), STATE(capability)];
  await trx.schema.createTable(state, (t) => t.integer('copying'));
  await trx(state).insert({ copying: 0 });
  await trx.schema.createTable(log, (t) => {
    t.bigIncrements('id');
    t.text('tbl');
    t.text('image');
  });
  for (const table of tables) {
    const image = await imageOf(trx, dialect, { table, row: 'NEW' });
    const note = `INSERT INTO ${log} (tbl, image) VALUES ('${table}', ${image});`;
    const name = `copier_${capability}_${table}`;
    if (dialect === 'sqlite') {
      for (const event of ['INSERT', 'UPDATE']) {
        await trx.raw(`CREATE TRIGGER "${name}_${event}" AFTER ${event} ON "${table}"
          WHEN (SELECT copying FROM ${state}) = 0 BEGIN ${note} END`);
      }
    } else {
      await trx.raw(`CREATE FUNCTION "${name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT copying FROM ${state}) = 0 THEN ${note} END IF; RETURN NULL; END $$`);
      await trx.raw(`CREATE TRIGGER "${name}" AFTER INSERT OR UPDATE ON "${table}"
        FOR EACH ROW EXECUTE FUNCTION "${name}"()`);
    }
  }
}

/** Notes every row that there is. */
export async function noteAll(
  trx: Transaction,
  dialect: Dialect,
  { capability, tables }: Copied,
): Promise<void> {
  for (const table of tables) {
    const image = await imageOf(trx, dialect, { table, row: 't' });
    await trx.raw(
      `INSERT INTO ${LOG(capability)} (tbl, image) SELECT '${table}', ${image} FROM "${table}" t`,
    );
  }
}

/** An expression for a row as JSON. */
async function imageOf(
  trx: Transaction,
  dialect: Dialect,
  { table, row }: { readonly table: string; readonly row: string },
): Promise<string> {
  if (dialect === 'postgres') return `row_to_json(${row})::text`;
  const columns = Object.keys(await trx(table).columnInfo());
  return `json_object(${columns.map((column) => `'${column}', ${row}."${column}"`).join(', ')})`;
}
