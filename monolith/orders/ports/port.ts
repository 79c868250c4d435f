import {
  AS_SYSTEM,
  FencedError,
  Problem,
  problemBody,
  StepFailure,
} from '../../../chassis/index.ts';
import type { FenceState, HttpClient, KeyedAnswer, StoredAnswer } from '../../../chassis/index.ts';
import { HEADERS } from '../../../contracts/index.ts';

/** What makes a call safe to repeat, at whichever owner: both stay the same each time. */
export interface CallKey {
  readonly key: string;
  readonly attemptId: string;
  /** Whom it is about, where customers may have different owners. */
  readonly customerId?: string;
}

/** The contract's answer to a call that a module of this process serves. */
export async function answerOf(work: Promise<KeyedAnswer>): Promise<StoredAnswer> {
  try {
    return (await work).answer;
  } catch (error) {
    if (error instanceof Problem) return { status: error.status, body: problemBody(error) };
    throw error;
  }
}

/**
 * Makes a call of the contract to another process.
 * @throws FencedError when that process does not own the capability
 * @throws CallFailed when no answer came
 */
export async function callRemote(
  client: HttpClient,
  path: string,
  body: unknown,
  { key, attemptId, customerId }: CallKey,
): Promise<StoredAnswer> {
  const answer = await client.call('POST', path, {
    ...(body === undefined ? {} : { body }),
    headers: {
      ...AS_SYSTEM,
      [HEADERS.idempotencyKey]: key,
      [HEADERS.attempt]: attemptId,
      ...(customerId === undefined ? {} : { [HEADERS.customer]: customerId }),
    },
  });
  if (answer.status === 421) throw fencedBy(answer.body);
  return { status: answer.status, body: answer.body };
}

function fencedBy(body: unknown): FencedError {
  const { capability, key, state, epoch } = body as Record<string, unknown>;
  const fence = { state: state as FenceState, epoch: Number(epoch) };
  return new FencedError(String(capability), fence, typeof key === 'string' ? key : undefined);
}

/** Statuses that say nothing about the request itself: late, at the wrong side, too early, too many. */
const PASSING = new Set([408, 421, 425, 429]);
/** The same of codes: another attempt has the key, or the capability is elsewhere. */
const PASSING_CODES = new Set(['request_in_flight', 'moved_away']);

/**
 * An answer that settles nothing: the step is to be taken again. It is permanent when its owner
 * refuses it in a way that a repetition does not change.
 */
export class UnsettledAnswer extends StepFailure {
  override readonly name = 'UnsettledAnswer';

  constructor(call: string, answer: StoredAnswer) {
    const { status, body } = answer;
    const refused = status >= 400 && status < 500;
    const passing = PASSING.has(status) || PASSING_CODES.has(codeOf(answer) ?? '');
    super(`${call} was answered ${status} ${JSON.stringify(body)}`, refused && !passing);
  }
}

/** The stable code of a refusal. */
export function codeOf({ body }: StoredAnswer): string | undefined {
  return (body as { code?: string } | null | undefined)?.code;
}
