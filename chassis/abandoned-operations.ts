import { randomUUID } from 'node:crypto';
import { FencedError } from './fence.ts';
import type { KeyedRequest } from './idempotency.ts';
import type { Logger } from './log.ts';
import { Problem } from './problem.ts';
import { runOperation } from './provider-operation.ts';
import type { Intent, OperationScope, ProviderOperation } from './provider-operation.ts';

/** Goes on with the operation whose intent has this id, on behalf of its request. */
type Resume = (request: KeyedRequest, id: string) => Promise<unknown>;

/** Goes on with an operation from the intent that an earlier attempt has left. */
export function resumeOperation<I extends Intent, Outcome, About>(
  scope: OperationScope,
  request: KeyedRequest,
  operation: ProviderOperation<I, Outcome, About>,
): Promise<unknown> {
  return runOperation(scope, request, operation, () => {
    throw new Error('the request was started before');
  });
}

/**
 * Finds out how operations ended whose attempt has died or given up, so that no request works on them; only
 * those of customers that are owned here: the others would be in their way.
 * @returns how many it settled
 */
export async function resolveAbandoned(
  { database: { read }, guard, keys, now }: OperationScope,
  resume: Resume,
  log: Logger,
): Promise<number> {
  const { cohortKey } = keys;
  const narrow = cohortKey === undefined ? undefined : await guard.openHere(read, cohortKey);
  const outcomes = await Promise.all(
    (await keys.abandoned(read, now(), narrow)).map(async ({ resourceId, ...request }) => {
      try {
        await resume({ ...request, attemptId: `resolver-${randomUUID()}` }, resourceId);
        log.info({ resource: resourceId }, 'settled what a request had left open');
        return 1;
      } catch (err) {
        // Moved away, still not known, or taken up by its client again: all of it is fine.
        if (!(err instanceof FencedError || err instanceof Problem)) {
          log.error({ err, resource: resourceId }, 'could not settle');
        }
        return 0;
      }
    }),
  );
  return outcomes.reduce<number>((total, settled) => total + settled, 0);
}
