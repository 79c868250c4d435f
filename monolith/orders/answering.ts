import { setTimeout as delay } from 'node:timers/promises';
import { refuse, within } from '../../chassis/index.ts';
import type {
  Database,
  KeyedAnswer,
  KeyedRequest,
  KeyStore,
  Problem,
  SagaRunner,
} from '../../chassis/index.ts';
import { orderPending, orderStuck } from '../../contracts/index.ts';
import type { Refusal } from '../../contracts/index.ts';
import type { OrderDraft } from './order-draft.ts';

interface AnsweringDeps {
  readonly database: Database;
  readonly keys: KeyStore;
  /** How long a client waits for its order's end, in milliseconds. */
  readonly patienceMs: number;
}

const LOOK_AGAIN_MS = 50;

/**
 * Sees a request's saga to its end and answers what was kept with it.
 * @throws Problem 503 `order_pending` when that takes too long; the saga goes on by itself, and the
 *   same key finds its end. 503 `order_stuck` when it can't go on before an operator has decided.
 */
export async function answerWhenDone<Data>(
  deps: AnsweringDeps,
  runner: SagaRunner<Data>,
  request: KeyedRequest,
  draft: OrderDraft<Data>,
): Promise<KeyedAnswer> {
  if ('answer' in draft) return draft;
  const deadline = performance.now() + deps.patienceMs;
  const sagaId = 'begun' in draft ? draft.begun.id : draft.resume;
  if ('begun' in draft) void runner.drive(draft.begun);
  /** The key is let go, so that the client may ask again at once. */
  async function unfinished(why: (orderId: string) => Refusal): Promise<Problem> {
    await deps.database.transaction((trx) => deps.keys.letGo(trx, request));
    return refuse(why(sagaId.slice(sagaId.indexOf(':') + 1)));
  }
  for (;;) {
    await within(deadline - performance.now(), runner.resume(sagaId));
    const record = await deps.keys.find(deps.database.read, request);
    if (record?.answer) return { answer: record.answer, replayed: false };
    if (await runner.isStuck(sagaId)) throw await unfinished(orderStuck);
    if (performance.now() >= deadline) break;
    // Another process drives it; its end shows in the key.
    await delay(LOOK_AGAIN_MS);
  }
  throw await unfinished(orderPending);
}
