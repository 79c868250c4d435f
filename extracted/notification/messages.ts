import { databaseNow, reasonOf } from '../../chassis/index.ts';
import type {
  Database,
  DeadLetter,
  DeadLetterSource,
  Knex,
  Transaction,
} from '../../chassis/index.ts';
import type { Template } from './templates.ts';

/** `recorded`: no mail server is configured here. `refused`: a mail server has said that it never takes it. */
export type MessageState = 'recorded' | 'waiting' | 'sent' | 'refused';

/** Something to tell a customer. Its id is that of the event, so that there is one for each. */
export interface Message {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly template: Template;
  readonly attempts: number;
}

interface Row {
  readonly id: string;
  readonly order_id: string;
  readonly customer_id: string;
  readonly template: Template;
  readonly state: MessageState;
  readonly attempts: number;
  readonly reason: string | null;
  readonly ended_at: number | null;
}

const present = (row: Row): Message => ({
  id: row.id,
  orderId: row.order_id,
  customerId: row.customer_id,
  template: row.template,
  attempts: row.attempts,
});

export async function addMessage(
  trx: Transaction,
  { id, orderId, customerId, template }: Omit<Message, 'attempts'>,
  state: 'recorded' | 'waiting',
): Promise<void> {
  const now = Date.now();
  await trx('messages').insert({
    id,
    order_id: orderId,
    customer_id: customerId,
    template,
    state,
    attempts: 0,
    next_attempt_at: 0,
    created_at: now,
  });
}

/** A moment by the database's clock, which all processes share. */
const later = (connection: Knex, ms: number): Knex.Raw =>
  connection.raw('? + ?', [databaseNow(connection), ms]);

/**
 * Takes the message that has been due for longest, of an order its first one: for `leaseMs` no other process sends it.
 * @returns undefined where none is due
 */
export async function takeDue(trx: Transaction, leaseMs: number): Promise<Message | undefined> {
  const row = (await trx('messages')
    .where({ state: 'waiting' })
    .where('next_attempt_at', '<=', databaseNow(trx))
    .whereNotExists(
      trx('messages as earlier')
        .where('earlier.state', 'waiting')
        .whereRaw(
          'earlier.order_id = messages.order_id AND earlier.created_at < messages.created_at',
        )
        .select(trx.raw('1')),
    )
    .orderBy('next_attempt_at')
    .forUpdate('messages')
    .first()) as Row | undefined;
  if (!row) return undefined;
  const attempts = row.attempts + 1;
  await trx('messages')
    .where({ id: row.id })
    .update({ attempts, next_attempt_at: later(trx, leaseMs) });
  return present({ ...row, attempts });
}

export async function endMessage(
  trx: Transaction,
  id: string,
  state: 'sent' | 'refused',
  error?: unknown,
): Promise<void> {
  const reason = error === undefined ? null : reasonOf(error);
  await trx('messages').where({ id }).update({ state, reason, ended_at: Date.now() });
}

/** @param ms for how long the message is not tried again */
export async function postpone(
  trx: Transaction,
  id: string,
  ms: number,
  error: unknown,
): Promise<void> {
  await trx('messages')
    .where({ id })
    .update({ next_attempt_at: later(trx, ms), reason: reasonOf(error) });
}

/** How many messages are in each state. */
export async function countMessages(
  connection: Knex,
): Promise<readonly { readonly state: MessageState; readonly count: number }[]> {
  return connection('messages').groupBy('state').select('state').count({ count: '*' });
}

/** Messages that a mail server refuses for good. */
export function refusedMessages(database: Database): DeadLetterSource {
  const refused = (connection: Knex) => connection('messages').where({ state: 'refused' });
  const letterOf = (row: Row): DeadLetter => ({
    id: row.id,
    what: `${row.template} of order ${row.order_id}`,
    reason: row.reason ?? '',
    attempts: row.attempts,
    since: row.ended_at ?? 0,
  });
  const change = (id: string, changes: object): Promise<boolean> =>
    database.transaction(async (trx) => (await refused(trx).where({ id }).update(changes)) === 1);
  return {
    async list(limit) {
      const rows = (await refused(database.read).orderBy('ended_at').limit(limit)) as Row[];
      return rows.map(letterOf);
    },
    async count() {
      const row = (await refused(database.read).count({ count: '*' }).first()) as { count: number };
      return row.count;
    },
    async find(id) {
      const row = (await refused(database.read).where({ id }).first()) as Row | undefined;
      return row && { ...letterOf(row), details: present(row) };
    },
    retry: (id) =>
      change(id, { state: 'waiting', attempts: 0, next_attempt_at: 0, ended_at: null }),
    drop: (id) => change(id, { state: 'recorded' }),
  };
}
