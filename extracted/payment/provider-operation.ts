import { admit, ownerTransaction, refuse, rowOwnerTransaction } from '../../chassis/index.ts';
import type {
  Database,
  FenceGuard,
  KeyedAnswer,
  KeyedRequest,
  KeyRecord,
  KeyStore,
  Knex,
  StoredAnswer,
  Subject,
  Transaction,
} from '../../chassis/index.ts';
import { paymentPending } from '../../contracts/index.ts';
import type { Payment } from '../../contracts/index.ts';

export interface PaymentScope {
  readonly database: Database;
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is asked of the provider, once it has been recorded. */
export interface Intent {
  readonly id: string;
  readonly paymentId: string;
  /** Whose payment it is: all that a request leaves behind is this customer's. */
  readonly customerId: string;
}

/** The steps of something that the provider does for us, and that must be done once. */
export interface ProviderOperation<I extends Intent, Outcome> {
  /** The intent recorded under this id. */
  find(trx: Transaction, id: string): Promise<I>;
  /** Asks the provider; undefined when its answer did not become known in time. */
  ask(intent: I, askedBefore: boolean): Promise<Outcome | undefined>;
  /** What the request is about, where that was there before it and nothing is recorded of it yet. */
  about?(connection: Knex): Promise<Payment | undefined>;
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
  | { readonly refusal: StoredAnswer; readonly customerId: string };

/** @param payment what the request is about, as `about` found it */
type Start<I extends Intent> = (
  trx: Transaction,
  now: number,
  payment: Payment | undefined,
) => Promise<Pending<I>>;

type Accepted<I extends Intent> =
  | { readonly kind: 'answered'; readonly given: KeyedAnswer }
  | { readonly kind: 'under way'; readonly intent: I; readonly askedBefore: boolean };

/**
 * Runs an operation once for its key: the intent is committed behind the fence before the provider is
 * called, its outcome is recorded behind the fence again, and no transaction is open in between.
 * When the capability moves meanwhile, the new owner goes on from the intent with the same attempt.
 * @param start records a new intent; throws what is to leave no trace
 * @throws FencedError, what `admit` throws, and Problem 503 `payment_pending` while the provider's
 *   answer is not known; the same request goes on then
 */
export async function runOperation<I extends Intent, Outcome>(
  scope: PaymentScope,
  request: KeyedRequest,
  operation: ProviderOperation<I, Outcome>,
  start: Start<I>,
): Promise<KeyedAnswer> {
  const { database, guard, keys, now } = scope;
  const admitted = await begin(scope, request, operation, start);
  if (admitted.kind === 'answered') return admitted.given;
  const { intent, askedBefore } = admitted;
  const { customerId: cohortKey } = intent;
  const outcome = await operation.ask(intent, askedBefore);
  if (outcome === undefined) {
    await ownerTransaction(database, guard, (trx) => keys.letGo(trx, request), cohortKey);
    throw refuse(paymentPending(intent.paymentId));
  }
  const record = async (trx: Transaction): Promise<KeyedAnswer> => {
    const done = await keys.find(trx, request);
    if (done?.answer) return { answer: done.answer, replayed: true };
    const at = now();
    const answer = await operation.settle(trx, intent, outcome, at);
    await keys.finish(trx, { ...request, cohortKey }, answer, intent.id, at);
    return { answer, replayed: false };
  };
  return await ownerTransaction(database, guard, record, cohortKey);
}

/** What is known of a request before anything is done about it. */
interface Known {
  readonly record: KeyRecord | undefined;
  readonly payment: Payment | undefined;
}

function knownOf(
  { keys }: PaymentScope,
  request: KeyedRequest,
  { about }: Pick<ProviderOperation<never, never>, 'about'>,
): Subject<Known> {
  return {
    async look(connection) {
      const record = await keys.find(connection, request);
      // What it has left behind tells enough.
      if (typeof record?.resourceId === 'string') return { record, payment: undefined };
      return { record, payment: await about?.(connection) };
    },
    keyOf: ({ record, payment }) => record?.cohortKey ?? payment?.customerId,
  };
}

function begin<I extends Intent, Outcome>(
  scope: PaymentScope,
  request: KeyedRequest,
  operation: ProviderOperation<I, Outcome>,
  start: Start<I>,
): Promise<Accepted<I>> {
  const { database, guard, keys, now } = scope;
  const take = async (trx: Transaction, { record, payment }: Known): Promise<Accepted<I>> => {
    const at = now();
    const admission = admit(record, request, at);
    if (admission.kind === 'replay') {
      return { kind: 'answered', given: { answer: admission.answer, replayed: true } };
    }
    const earlier = admission.kind === 'resume' ? admission.resourceId : null;
    const started = earlier === null ? await start(trx, at, payment) : null;
    if (started && 'refusal' in started) {
      const { refusal, customerId: cohortKey } = started;
      await keys.finish(trx, { ...request, cohortKey }, refusal, null, at);
      return { kind: 'answered', given: { answer: refusal, replayed: false } };
    }
    const intent = started ? started.intent : await operation.find(trx, String(earlier));
    await keys.begin(trx, { ...request, cohortKey: intent.customerId }, intent.id, at);
    const again = started?.askedBefore === true;
    return { kind: 'under way', intent, askedBefore: again || earlier !== null };
  };
  const subject = knownOf(scope, request, operation);
  return rowOwnerTransaction(database, guard, request.cohortKey, subject, take);
}
