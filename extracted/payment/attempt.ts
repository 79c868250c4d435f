import { admit, ownerTransaction, refuse } from '../../chassis/index.ts';
import type {
  Database,
  FenceGuard,
  KeyedAnswer,
  KeyedRequest,
  KeyStore,
  StoredAnswer,
  Transaction,
} from '../../chassis/index.ts';
import { paymentPending } from '../../contracts/index.ts';

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
export interface Errand<I extends Intent, Outcome> {
  /** The intent recorded under this id. */
  find(trx: Transaction, id: string): Promise<I>;
  /** Asks the provider; undefined when its answer did not become known in time. */
  ask(intent: I, askedBefore: boolean): Promise<Outcome | undefined>;
  /** Records how it ended. Safe to run again. */
  settle(trx: Transaction, intent: I, outcome: Outcome, now: number): Promise<StoredAnswer>;
}

/** A new intent, or the refusal to keep when there will be none. */
export type Started<I extends Intent> =
  { readonly intent: I } | { readonly refusal: StoredAnswer; readonly customerId: string };

type Admitted<I extends Intent> =
  | { readonly kind: 'answered'; readonly given: KeyedAnswer }
  | { readonly kind: 'under way'; readonly intent: I; readonly askedBefore: boolean };

/**
 * Runs an errand once for its key: the intent is committed behind the fence before the provider is
 * called, its outcome is recorded behind the fence again, and no transaction is open in between.
 * When the capability moves meanwhile, the new owner goes on from the intent with the same attempt.
 * @param start records a new intent; throws what is to leave no trace
 * @throws FencedError, what `admit` throws, and Problem 503 `payment_pending` while the provider's
 *   answer is not known; the same request goes on then
 */
export async function runErrand<I extends Intent, Outcome>(
  scope: PaymentScope,
  request: KeyedRequest,
  errand: Errand<I, Outcome>,
  start: (trx: Transaction, now: number) => Promise<Started<I>>,
): Promise<KeyedAnswer> {
  const { database, guard, keys, now } = scope;
  const admitted = await begin(scope, request, errand, start);
  if (admitted.kind === 'answered') return admitted.given;
  const { intent, askedBefore } = admitted;
  const { customerId: cohortKey } = intent;
  const outcome = await errand.ask(intent, askedBefore);
  if (outcome === undefined) {
    await ownerTransaction(database, guard, (trx) => keys.letGo(trx, request));
    throw refuse(paymentPending(intent.paymentId));
  }
  return await ownerTransaction(database, guard, async (trx) => {
    const done = await keys.find(trx, request.key);
    if (done?.answer) return { answer: done.answer, replayed: true };
    const at = now();
    const answer = await errand.settle(trx, intent, outcome, at);
    await keys.finish(trx, { ...request, cohortKey }, answer, intent.id, at);
    return { answer, replayed: false };
  });
}

function begin<I extends Intent, Outcome>(
  { database, guard, keys, now }: PaymentScope,
  request: KeyedRequest,
  errand: Errand<I, Outcome>,
  start: (trx: Transaction, now: number) => Promise<Started<I>>,
): Promise<Admitted<I>> {
  return ownerTransaction(database, guard, async (trx): Promise<Admitted<I>> => {
    const at = now();
    const admission = admit(await keys.find(trx, request.key), request, at);
    if (admission.kind === 'replay') {
      return { kind: 'answered', given: { answer: admission.answer, replayed: true } };
    }
    const earlier = admission.kind === 'resume' ? admission.resourceId : null;
    const started = earlier === null ? await start(trx, at) : null;
    if (started && 'refusal' in started) {
      const { refusal, customerId: cohortKey } = started;
      await keys.finish(trx, { ...request, cohortKey }, refusal, null, at);
      return { kind: 'answered', given: { answer: refusal, replayed: false } };
    }
    const intent = started ? started.intent : await errand.find(trx, String(earlier));
    await keys.begin(trx, { ...request, cohortKey: intent.customerId }, intent.id, at);
    return { kind: 'under way', intent, askedBefore: earlier !== null };
  });
}
