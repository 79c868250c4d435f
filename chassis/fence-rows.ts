import { dialectOfConnection } from './database.ts';
import type { Database, Knex, Transaction } from './database.ts';

export type FenceState = 'open' | 'closed' | 'ceded';

/** One database's view of who owns a capability; `epoch` grows by one with each handover. */
export interface Fence {
  readonly state: FenceState;
  readonly epoch: number;
}

/** A fence with what it is of; `key` is `*` for all keys that have none of their own. */
export interface NamedFence extends Fence {
  readonly capability: string;
  readonly key: string;
}

/** All fences of a database, as they were a moment ago; none where no migration has touched it. */
export async function readFences({ read }: Database): Promise<readonly NamedFence[]> {
  if (!(await read.schema.hasTable('fig_fence'))) return [];
  const fences = read('fig_fence').orderBy(['capability', 'key']);
  return await fences.select<NamedFence[]>('capability', 'key', 'state', 'epoch');
}

/** The fence of all keys that have none of their own. */
export const REST = '*';

/** The fence that counts for a write, and whether writes bypassed the application are looked for. */
export interface FoundFence extends Fence {
  /** Set where the key has a fence of its own. */
  readonly key?: string;
  readonly watch?: number;
}

/**
 * The fence that counts for a key, or for the rest, as it is in this moment; undefined where no
 * migration has touched the database.
 */
export async function readFence(
  connection: Knex,
  capability: string,
  key?: string,
): Promise<FoundFence | undefined> {
  // There an error would end the transaction that asks; here, asking first would take time.
  const asksFirst = dialectOfConnection(connection) === 'postgres';
  if (asksFirst && !(await connection.schema.hasTable('fig_fence'))) return undefined;
  try {
    return await findFence(connection, capability, key);
  } catch (error) {
    if (/no such table/.test(String(error))) return undefined;
    throw error;
  }
}

/** The same, where there is a table of fences. */
async function findFence(
  connection: Knex,
  capability: string,
  key?: string,
): Promise<FoundFence | undefined> {
  const fences = connection('fig_fence').where({ capability });
  if (key === undefined) {
    const rest = (await fences.where({ key: REST }).first()) as FoundFence | undefined;
    return rest && withoutKey(rest);
  }
  return ofKey(key, (await fences.whereIn('key', [REST, key])) as FoundFence[]);
}

/** A key's own fence goes before that of the rest; who is watched, the rest's says for all. */
function ofKey(key: string, fences: readonly FoundFence[]): FoundFence | undefined {
  const rest = fences.find((fence) => fence.key === REST);
  const own = fences.find((fence) => fence.key === key && key !== REST);
  if (own) return { ...own, watch: rest?.watch ?? 0 };
  return rest && withoutKey(rest);
}

function withoutKey({ state, epoch, watch = 0 }: FoundFence): FoundFence {
  return { state, epoch, watch };
}

/** What a PostgreSQL database has to ask for a fence, as it is in this moment. */
interface Installed {
  readonly fences: boolean;
  readonly holds: boolean;
  readonly holdsByKey: boolean;
}

/**
 * On PostgreSQL nobody else is kept out; so the fence is, until the transaction ends. In the same go
 * the transaction says that it comes by the door.
 */
export async function holdFence(
  trx: Transaction,
  capability: string,
  key?: string,
): Promise<FoundFence | undefined> {
  // One question for all, since an error would end the transaction.
  const [installed] = (await trx.select(
    trx.raw(`to_regclass('fig_fence') IS NOT NULL AS fences`),
    trx.raw(`to_regprocedure('fig_fence_held(text)') IS NOT NULL AS holds`),
    trx.raw(`to_regprocedure('fig_fence_held(text,text)') IS NOT NULL AS "holdsByKey"`),
  )) as [Installed];
  if (!installed.fences) return undefined;
  if (!installed.holds) return findFence(trx, capability, key);
  const byKey = key !== undefined && installed.holdsByKey;
  const of = byKey ? [capability, key] : [capability];
  const [fence] = (await trx
    .select('state', 'epoch', trx.raw(`set_config('fig.door', ?, true)`, [capability]))
    .from(trx.raw(`fig_fence_held(${of.map(() => '?').join(', ')})`, of))) as {
    state: Fence['state'] | null;
    epoch: number;
  }[];
  if (!fence?.state) return undefined;
  const { state, epoch } = fence;
  // Whose fence it was matters only to whoever is refused.
  if (!byKey || state === 'open') return { state, epoch };
  return (await findFence(trx, capability, key)) ?? { state, epoch };
}

/**
 * Puts the fence of a capability, or of one key of it, where no engine has installed its tables: a
 * service that runs apart from a migration, such as for its tests, owns its data by this.
 */
export async function setFence(
  database: Database,
  capability: string,
  state: FenceState,
  epoch = 1,
  key = REST,
): Promise<void> {
  await database.alone(async (trx) => {
    if (!(await trx.schema.hasTable('fig_fence'))) {
      await trx.schema.createTable('fig_fence', (t) => {
        t.text('capability').notNullable();
        t.text('key').notNullable();
        t.text('state').notNullable();
        t.integer('epoch').notNullable();
        t.primary(['capability', 'key']);
      });
    }
    await trx('fig_fence')
      .insert({ capability, key, state, epoch })
      .onConflict(['capability', 'key'])
      .merge();
  });
}
