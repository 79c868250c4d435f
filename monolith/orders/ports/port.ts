import type { ZodType } from 'zod';
import {
  AS_SYSTEM,
  CallFailed,
  FencedError,
  isTemporaryStatus,
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
  const headers = {
    ...AS_SYSTEM,
    [HEADERS.idempotencyKey]: key,
    [HEADERS.attempt]: attemptId,
    ...(customerId === undefined ? {} : { [HEADERS.customer]: customerId }),
  };
  const options = { ...(body === undefined ? {} : { body }), headers };
  const answer = await client.call('POST', path, options).catch(definiteAnswer);
  if (answer.status === 421) throw fencedBy(answer.body);
  return { status: answer.status, body: answer.body };
}

/**
 * What another program than the service answers in its place, as an answer: repeated as if none had come, it
 * would be repeated for ever. A proxy that finds no server (5xx) is as good as no answer.
 */
function definiteAnswer(error: unknown): StoredAnswer {
  const { answer } = error instanceof CallFailed ? error : {};
  if (!answer || isTemporaryStatus(answer.status)) throw error;
  return { status: answer.status, body: answer.text.slice(0, SHOWN_CHARACTERS) };
}

function fencedBy(body: unknown): FencedError {
  const { capability, key, state, epoch } = (body ?? {}) as Record<string, unknown>;
  const fence = { state: state as FenceState, epoch: Number(epoch) };
  return new FencedError(String(capability), fence, typeof key === 'string' ? key : undefined);
}

const SHOWN_CHARACTERS = 200;

/** Refusals that pass although their status is definite: another attempt has the key, or it is elsewhere. */
const PASSING_CODES = new Set(['request_in_flight', 'moved_away']);

/**
 * An answer that settles nothing: the step is to be taken again. It is permanent when a repetition does
 * not change it: its owner refuses the step, or answers what the contract does not know.
 */
export class UnsettledAnswer extends StepFailure {
  override readonly name = 'UnsettledAnswer';

  constructor(call: string, answer: StoredAnswer, fault = '') {
    const { status, body } = answer;
    const passing = isTemporaryStatus(status) || PASSING_CODES.has(codeOf(answer) ?? '');
    super(`${call} was answered ${status} ${JSON.stringify(body)}${fault}`, !passing);
  }
}

/**
 * What an answer says, as far as a step needs it.
 * @throws UnsettledAnswer that is permanent, when the schema does not accept it
 */
export function read<T>(schema: ZodType<T>, call: string, answer: StoredAnswer): T {
  const { data, error } = schema.safeParse(answer.body);
  if (!error) return data;
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new UnsettledAnswer(call, answer, `: ${faults.join('; ')}`);
}

/** The stable code of a refusal. */
export function codeOf({ body }: StoredAnswer): string | undefined {
  return (body as { code?: string } | null | undefined)?.code;
}
