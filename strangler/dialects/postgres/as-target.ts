import type { QueryResult } from 'pg';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { followedOf, refuseUnlessTarget, STANDING_SQL } from '../../ledger/index.ts';
import type { Standing } from '../../ledger/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { MARK } from './applied-table.ts';
import { APPLYING } from './functions.ts';
import type { Schemas } from './schema.ts';
import { PostgresTarget } from './target.ts';
import type { TargetState } from './target.ts';
import { inlined, text } from './values.ts';

/**
 * The owner has judged its rows already; its copy takes them table by table, and may hold a state in
 * between that a reference between tables would refuse.
 */
const AS_REPLICA = 'SET LOCAL session_replication_role = replica';

interface TargetDatabase {
  readonly connection: PostgresConnection;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
}

/**
 * Runs `work` in one transaction as the target, under the fence row's lock: whoever else would apply,
 * or move the fence, waits for its end.
 * @throws NotTargetError unless the fence is not open and at `epoch`
 */
export function asTarget<T>(
  { connection, mapping, side, schemas }: TargetDatabase,
  { epoch, durable }: { readonly epoch: number; readonly durable: boolean },
  work: (target: PostgresTarget) => Promise<T>,
): Promise<T> {
  const replica = [...schemas.values()].some(({ refers }) => refers);
  return connection.transaction(
    async (client) => {
      const found = await begin(client, mapping.capability, side, { epoch, replica });
      return work(new PostgresTarget({ client, mapping, side, schemas, found }));
    },
    { durable },
  );
}

interface FoundRow extends Pick<TargetState, 'complete' | 'anyParked'> {
  readonly position: number | null;
  readonly mark: string | null;
}

/**
 * What has been applied is read by a statement of its own: only what begins when the lock is held sees
 * what its last holder has done.
 */
async function begin(
  client: PostgresClient,
  capability: string,
  side: SideName,
  { epoch, replica }: { readonly epoch: number; readonly replica: boolean },
): Promise<TargetState> {
  const [own, source] = [text(capability), text(otherSide(side))];
  const results = (await client.query(
    `SELECT FROM fig_fence WHERE capability = ${own} AND key = '*' FOR UPDATE;
     ${inlined(STANDING_SQL, [capability])};
     SELECT complete, EXISTS (SELECT FROM fig_parked WHERE capability = ${own}) AS "anyParked",
       a.position, ${MARK} AS mark
       FROM fig_install i LEFT JOIN fig_applied a ON a.capability = ${own} AND a.feed_of = ${source}
       WHERE i.capability = ${own};
     ${[APPLYING, ...(replica ? [AS_REPLICA] : [])].join('; ')}`,
  )) as unknown as readonly QueryResult[];
  const standing = results[1]?.rows[0] as Standing | undefined;
  refuseUnlessTarget(standing, { capability, side, epoch });
  const [, , state] = results as readonly QueryResult<FoundRow>[];
  const [row] = state?.rows ?? [];
  if (row === undefined) throw new Error(`${capability} (${side}) is not installed`);
  const { complete, anyParked, position, mark } = row;
  return {
    complete,
    anyParked,
    followed: followedOf(position === null ? undefined : { position, mark }),
  };
}
