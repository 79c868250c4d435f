import { expect } from '@jest/globals';
import type { Fault } from './faulty.ts';
import type { Capability } from '../../contract-check/index.ts';

type Body = Record<string, unknown>;

function rename(body: unknown, from: string, to: string): void {
  if (body === null || typeof body !== 'object') return;
  const object = body as Body;
  if (from in object) {
    object[to] = object[from];
    delete object[from];
  }
  for (const nested of Object.values(object)) rename(nested, from, to);
}

interface Expected {
  readonly path: string;
  readonly old: unknown;
  readonly new: unknown;
}

/** A fault, and a difference that it must show up as. */
export interface SeededFault extends Fault {
  readonly shows: Expected;
}

export const FAULTS: Record<Capability, readonly SeededFault[]> = {
  inventory: [
    {
      name: 'a renamed field',
      damage: ({ body }) => rename(body, 'onHand', 'on_hand'),
      shows: { path: 'body.onHand', old: 42, new: '<absent>' },
    },
    {
      name: 'a changed status',
      damage(answer) {
        if (answer.status === 201) answer.status = 200;
      },
      shows: { path: 'status', old: 201, new: 200 },
    },
    {
      name: 'a lost header',
      damage: ({ headers }) => delete headers['idempotent-replayed'],
      shows: { path: 'headers.idempotent-replayed', old: 'true', new: '<absent>' },
    },
    {
      name: 'a status of its own making',
      damage({ body }) {
        const object = body as Body;
        if (object['status'] === 'committed') object['status'] = 'done';
      },
      shows: { path: 'body.status', old: 'committed', new: 'done' },
    },
    {
      name: 'an additional field',
      damage({ body }, path) {
        if (path === '/api/inventory/CT-05') (body as Body)['warehouse'] = 'north';
      },
      shows: { path: 'body.warehouse', old: '<absent>', new: 'north' },
    },
    {
      name: 'a cursor in another form',
      damage({ body }) {
        const object = body as Body;
        if (typeof object['nextCursor'] === 'string') object['nextCursor'] += '~';
      },
      shows: { path: 'body.nextCursor', old: expect.any(String), new: expect.stringMatching(/~$/) },
    },
  ],
  payment: [
    {
      name: 'money in major units',
      damage({ body }) {
        const object = body as Body;
        if (typeof object['amount'] === 'number') object['amount'] /= 100;
      },
      shows: { path: 'body.amount', old: 1_234, new: 12.34 },
    },
    {
      name: 'an error as plain JSON',
      damage({ headers, status }) {
        if (status >= 400) headers['content-type'] = 'application/json; charset=utf-8';
      },
      shows: {
        path: 'headers.content-type',
        old: 'application/problem+json; charset=utf-8',
        new: 'application/json; charset=utf-8',
      },
    },
    {
      name: 'no Retry-After',
      damage: ({ headers }) => delete headers['retry-after'],
      shows: { path: 'headers.retry-after', old: '1', new: '<absent>' },
    },
    {
      name: 'a code of its own making',
      damage({ body }) {
        const object = body as Body;
        if (object['code'] === 'payment_declined') object['code'] = 'card_refused';
      },
      shows: { path: 'body.code', old: 'payment_declined', new: 'card_refused' },
    },
    {
      name: 'ids that change between answers',
      damage({ body, status }) {
        const object = body as Body;
        if (status === 201) object['id'] = `other-${String(object['id'])}`;
      },
      shows: { path: 'answers', old: expect.any(Number), new: expect.any(Number) },
    },
    {
      name: 'times in local form',
      damage({ body }) {
        const object = body as Body;
        if (typeof object['createdAt'] === 'string') {
          object['createdAt'] = object['createdAt'].replace('T', ' ').replace('Z', '');
        }
      },
      shows: { path: 'body.createdAt', old: expect.any(String), new: expect.any(String) },
    },
  ],
};
