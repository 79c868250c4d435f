import type { Request, Response } from 'express';
import { scopedKey } from './caller.ts';
import type { Database, Transaction } from './database.ts';
import type { EventDraft, Outbox } from './events/index.ts';
import type { FenceGuard } from './fence.ts';
import { admit, keyedRequest, requestHash } from './idempotency.ts';
import type { KeyedRequest, KeyStore, StoredAnswer } from './idempotency.ts';
import { ownerTransaction } from './owner-transaction.ts';
import { invalidRequest, problemBody } from './problem.ts';
import type { Problem } from './problem.ts';
import { currentTraceId } from './trace.ts';

/** A request's answer, and whether it is that of an earlier delivery. */
export interface KeyedAnswer {
  readonly answer: StoredAnswer;
  readonly replayed: boolean;
}

/** What an effect leaves behind: its answer, the thing it made or changed, and what subscribers are told of it. */
export interface Effect {
  readonly answer: StoredAnswer;
  readonly resourceId: string | null;
  readonly event?: EventDraft;
}

interface EffectScope {
  readonly database: Database;
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly outbox: Outbox;
  readonly now: () => number;
}

/**
 * Takes a request's effect once, however often it is delivered: fence, key, effect, answer and event are
 * one transaction. `work` returns an answer to keep, refusals included, and throws what must leave
 * no trace.
 * @throws FencedError unless this database owns the capability
 * @throws Problem when the key is in use, see `admit`
 */
export function effectOnce(
  { database, guard, keys, outbox, now }: EffectScope,
  request: KeyedRequest,
  work: (trx: Transaction, now: number) => Promise<Effect>,
): Promise<KeyedAnswer> {
  return ownerTransaction(database, guard, async (trx) => {
    const at = now();
    const record = await keys.hold(trx, request);
    const admission = admit(record, request, at);
    if (admission.kind === 'replay') return { answer: admission.answer, replayed: true };
    const { answer, resourceId, event } = await work(trx, at);
    await keys.answer(trx, request, record, answer, resourceId, at);
    if (event) await outbox.publish(trx, { ...event, epoch: guard.epoch(trx) });
    return { answer, replayed: false };
  });
}

/** A refusal as an answer to keep: without the trace, which belongs to one delivery. */
export function keptRefusal(problem: Problem): StoredAnswer {
  return { status: problem.status, body: problemBody(problem) };
}

const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The keyed request of a HTTP request: `Idempotency-Key` and `x-fig-attempt`, made up when absent.
 * @param body the checked body; undefined when the operation takes none
 * @throws Problem 400 `invalid_request` for a key that no client of ours would send
 */
export function keyedRequestOf(req: Request, body: unknown): KeyedRequest {
  const key = req.get('idempotency-key');
  if (key !== undefined && !KEY.test(key)) {
    throw invalidRequest([
      {
        field: 'Idempotency-Key',
        value: key.slice(0, 100),
        message: 'must be 1 to 255 visible ASCII characters, no spaces',
        remedy: 'use a fresh UUID for each thing you ask for',
      },
    ]);
  }
  return keyedRequest({
    ...(key === undefined ? { key } : scopedKey(req, key)),
    attemptId: req.get('x-fig-attempt'),
    hash: requestHash(req.method, req.path, body),
  });
}

/** Sends an answer that is kept under a key, as this delivery's own. */
export function sendKeyedAnswer(res: Response, { answer, replayed }: KeyedAnswer): void {
  if (replayed) res.set('idempotent-replayed', 'true');
  res.status(answer.status);
  if (answer.status < 400) {
    res.json(answer.body);
    return;
  }
  const traceId = currentTraceId();
  const body = { ...(answer.body as object), ...(traceId === undefined ? {} : { traceId }) };
  res.type('application/problem+json').send(JSON.stringify(body));
}
