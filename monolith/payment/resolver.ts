import { randomUUID } from 'node:crypto';
import { FencedError, ownerTransaction, Problem } from '../../chassis/index.ts';
import type { KeyedRequest, Knex, Logger, Transaction } from '../../chassis/index.ts';
import { customerOf, findIntent } from './intents.ts';
import type { Intent, PaymentScope } from './intents.ts';
import type { Provider } from './provider.ts';
import { settle } from './settlement.ts';

interface Abandoned {
  readonly request: KeyedRequest;
  readonly intent: Intent;
}

interface AbandonedRow {
  readonly IDEM_KEY: string;
  readonly REQ_HASH: string;
  readonly RES_ID: string;
  readonly CUST_NO: string;
}

const AT_ONCE = 10;

/**
 * Goes on with charges and refunds that nobody works on any more: their process died, or the
 * provider kept silent and their client went away.
 */
export function createResolver(scope: PaymentScope, provider: Provider, log: Logger) {
  const { database, guard, keys, now } = scope;

  const abandoned = (connection: Knex) =>
    connection('PAY_IDEM').where('STATE_CD', 'I').where('LEASE_TS', '<=', now());

  /** Only those of customers that are owned here: the others would be in their way. */
  const findAbandoned = async (): Promise<AbandonedRow[]> =>
    (await abandoned(database.read)
      .modify(await guard.openHere(database.read, 'CUST_NO'))
      .orderBy('LEASE_TS')
      .limit(AT_ONCE)
      .select('IDEM_KEY', 'REQ_HASH', 'RES_ID', 'CUST_NO')) as AbandonedRow[];

  async function takeOver(row: AbandonedRow): Promise<Abandoned | undefined> {
    const { IDEM_KEY: key, REQ_HASH: hash, RES_ID: id, CUST_NO: customerId } = row;
    const take = async (trx: Transaction): Promise<Abandoned | undefined> => {
      // Its client, or another process, may have gone on with it.
      if (!(await abandoned(trx).where({ IDEM_KEY: key }).first())) return undefined;
      const intent = await findIntent(trx, id);
      const cohortKey = customerOf(intent);
      const request = { key, hash, attemptId: `resolver-${randomUUID()}`, cohortKey };
      await keys.begin(trx, request, id, now());
      return { request, intent };
    };
    return ownerTransaction(database, guard, take, customerId);
  }

  async function resolve({ request, intent }: Abandoned): Promise<void> {
    try {
      const { answer } = await settle(scope, provider, request, intent);
      log.info({ key: request.key, kind: intent.kind, status: answer.status }, 'settled at last');
    } catch (error) {
      // Fenced: the new owner's resolver goes on. A problem: the provider is still silent.
      if (error instanceof FencedError || error instanceof Problem) return;
      log.error({ err: error, key: request.key, kind: intent.kind }, 'could not settle');
    }
  }

  return {
    /** Settles what is abandoned now; returns how many were taken up. */
    async run(): Promise<number> {
      const taken: Abandoned[] = [];
      for (const row of await findAbandoned()) {
        const own = await takeOver(row).catch(unlessMoved);
        if (own) taken.push(own);
      }
      await Promise.all(taken.map(resolve));
      return taken.length;
    },
  };
}

/** Its customer has been moved meanwhile: the new owner's resolver goes on. */
function unlessMoved(error: unknown): undefined {
  if (!(error instanceof FencedError)) throw error;
}
