import type { Database, Knex, Transaction } from './database.ts';
import type { FenceGuard } from './fence.ts';
import { admit } from './idempotency.ts';
import type { KeyedRequest, KeyRecord, KeyStore, StoredAnswer } from './idempotency.ts';
import type { KeyedAnswer } from './keyed-effect.ts';
import { ownerTransaction, rowOwnerTransaction } from './owner-transaction.ts';
import type { Subject } from './owner-transaction.ts';
import type { Problem } from './problem.ts';

export interface OperationScope {
  readonly database: Database;
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is asked of the provider, once it has been recorded. */
export interface Intent {
  readonly id: string;
  /** Whose it is: all that a request leaves behind belongs to the same one. */
  readonly cohortKey: string;
}

/**
 * The steps of something that a provider outside does for us, such as a card processor, and that must be
 * done once.
 */
export interface ProviderOperation<I extends Intent, Outcome, About = undefined> {
  /** The intent recorded under this id. */
  find(trx: Transaction, id: string): Promise<I>;
  /** Asks the provider; undefined when its answer did not become known in time. */
  ask(intent: I, askedBefore: boolean): Promise<Outcome | undefined>;
  /** What a client is told while the outcome is not known. */
  pending(intent: I): Problem;
  /** What the request is about, where that was there before it. */
  readonly about?: Subject<About | undefined>;
  /** Records how it ended. Safe to run again. */
  settle(trx: Transaction, intent: I, outcome: Outcome, now: number): Promise<StoredAnswer>;
}

/** A new intent, or the refusal to keep when there will be none. */
export type Pending<I extends Intent> =
  | {
      readonly intent: I;
      /** Of an earlier request of the same step, whose key was deleted since. */
      readonly askedBefore?: true;
    }
  | { readonly refusal: StoredAnswer; readonly cohortKey: string };

/** @param about what the request is about, unless something is recorded of the request itself already */
type Start<I extends Intent, About> = (
  trx: Transaction,
  now: number,
  about: About | undefined,
) => Promise<Pending<I>>;

type Accepted<I extends Intent> =
  | { readonly kind: 'answered'; readonly given: KeyedAnswer }
  | { readonly kind: 'under way'; readonly intent: I; readonly askedBefore: boolean };

/**
 * Runs an operation once for its key: the intent is committed behind the fence before the provider is
 * called, its outcome is recorded behind the fence again, and no transaction is open in between.
 * When the capability moves meanwhile, the new owner goes on from the intent with the same attempt.
 * @param start records a new intent; throws what is to leave no trace
 * @throws FencedError, what `admit` throws, and what `pending` says while the provider's answer is not
 *   known; the same request goes on then
 */
export async function runOperation<I extends Intent, Outcome, About>(
  scope: OperationScope,
  request: KeyedRequest,
  operation: ProviderOperation<I, Outcome, About>,
  start: Start<I, About>,
): Promise<KeyedAnswer> {
  const { database, guard, keys, now } = scope;
  const accepted = await begin(scope, request, operation, start);
  if (accepted.kind === 'answered') return accepted.given;
  const { intent, askedBefore } = accepted;
  const { cohortKey } = intent;
  const outcome = await operation.ask(intent, askedBefore);
  if (outcome === undefined) {
    await ownerTransaction(database, guard, (trx) => keys.letGo(trx, request), cohortKey);
    throw operation.pending(intent);
  }
  const record = async (trx: Transaction): Promise<KeyedAnswer> => {
    const done = await keys.hold(trx, request);
    if (done?.answer) return { answer: done.answer, replayed: true };
    const at = now();
    const answer = await operation.settle(trx, intent, outcome, at);
    await keys.finish(trx, { ...request, cohortKey }, answer, intent.id, at);
    return { answer, replayed: false };
  };
  return await ownerTransaction(database, guard, record, cohortKey);
}

/** What a request has left behind tells enough of what it is about. */
function isBegun(record: KeyRecord | undefined): boolean {
  return typeof record?.resourceId === 'string';
}

/** What is known of a request before anything is done about it. */
interface Known<About> {
  readonly record: KeyRecord | undefined;
  readonly about: About | undefined;
}

function knownOf<About>(
  { keys }: OperationScope,
  request: KeyedRequest,
  about: Subject<About | undefined> | undefined,
): Subject<Known<About>> {
  return {
    async look(connection: Knex) {
      const record = await keys.find(connection, request);
      return { record, about: isBegun(record) ? undefined : await about?.look(connection) };
    },
    async hold(trx: Transaction) {
      const record = await keys.hold(trx, request);
      return { record, about: isBegun(record) ? undefined : await about?.hold(trx) };
    },
    keyOf: ({ record, about: found }) => record?.cohortKey ?? about?.keyOf(found),
  };
}

function begin<I extends Intent, Outcome, About>(
  scope: OperationScope,
  request: KeyedRequest,
  operation: ProviderOperation<I, Outcome, About>,
  start: Start<I, About>,
): Promise<Accepted<I>> {
  const { database, guard, keys, now } = scope;
  const take = async (trx: Transaction, { record, about }: Known<About>): Promise<Accepted<I>> => {
    const at = now();
    const admission = admit(record, request, at);
    if (admission.kind === 'replay') {
      return { kind: 'answered', given: { answer: admission.answer, replayed: true } };
    }
    const earlier = admission.kind === 'resume' ? admission.resourceId : null;
    const started = earlier === null ? await start(trx, at, about) : null;
    if (started && 'refusal' in started) {
      const { refusal, cohortKey } = started;
      await keys.answer(trx, { ...request, cohortKey }, record, refusal, null, at);
      return { kind: 'answered', given: { answer: refusal, replayed: false } };
    }
    const intent = started ? started.intent : await operation.find(trx, String(earlier));
    await keys.begin(trx, { ...request, cohortKey: intent.cohortKey }, record, intent.id, at);
    const again = started?.askedBefore === true;
    return { kind: 'under way', intent, askedBefore: again || earlier !== null };
  };
  const subject = knownOf(scope, request, operation.about);
  return rowOwnerTransaction(database, guard, request.cohortKey, subject, take);
}
