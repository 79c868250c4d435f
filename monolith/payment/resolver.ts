import { randomUUID } from 'node:crypto';
import { FencedError, ownerTransaction, Problem } from '../../chassis/index.ts';
import type { KeyedRequest, Logger } from '../../chassis/index.ts';
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
}

const AT_ONCE = 10;

/**
 * Goes on with charges and refunds that nobody works on any more: their process died, or the
 * provider kept silent and their client went away.
 */
export function createResolver(scope: PaymentScope, provider: Provider, log: Logger) {
  const { database, guard, keys, now } = scope;

  const abandoned = (connection: typeof database.read) =>
    connection('PAY_IDEM')
      .where('STATE_CD', 'I')
      .where('LEASE_TS', '<=', now())
      .orderBy('LEASE_TS')
      .limit(AT_ONCE)
      .select('IDEM_KEY', 'REQ_HASH', 'RES_ID') as Promise<AbandonedRow[]>;

  async function takeOver(): Promise<Abandoned[]> {
    return ownerTransaction(database, guard, async (trx) => {
      const taken: Abandoned[] = [];
      for (const { IDEM_KEY: key, REQ_HASH: hash, RES_ID: id } of await abandoned(trx)) {
        const intent = await findIntent(trx, id);
        const cohortKey = customerOf(intent);
        const request = { key, hash, attemptId: `resolver-${randomUUID()}`, cohortKey };
        await keys.begin(trx, request, id, now());
        taken.push({ request, intent });
      }
      return taken;
    });
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
      if (!(await guard.looksOpen(database))) return 0;
      if ((await abandoned(database.read)).length === 0) return 0;
      const taken = await takeOver();
      await Promise.all(taken.map(resolve));
      return taken.length;
    },
  };
}
