import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import knexOf from 'knex';
import type { Knex } from 'knex';
import { fencedAnswer, fencesAnswer, knexFences, knexGuard } from '../../../guard/index.ts';
import type { GuardAnswer } from '../../../guard/index.ts';

/**
 * A service of notes, in a process of its own, that keeps the protocol, or breaks it in one way: the one that the
 * request's header `x-fault` names.
 */
export const FAULTS = [
  'no-fence',
  'fence-before-transaction',
  'fence-not-held',
  'conflict',
  'bare-421',
  'no-fences',
  'remembered-fences',
  'trace',
  'refusal-first',
  'fence-for-reads',
  'key-ignored',
  'key-keeps-refusal',
  'key-raced',
  'whole-fence-only',
  'open-without-fence',
] as const;
type Fault = (typeof FAULTS)[number] | undefined;

interface Note {
  readonly id: string;
  readonly owner: string;
}

const json = (status: number, body: object): GuardAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body,
});

class NotesService {
  readonly #knex: Knex;
  readonly #remembered: GuardAnswer[] = [];

  constructor(knex: Knex) {
    this.#knex = knex;
  }

  async answer(req: IncomingMessage): Promise<GuardAnswer> {
    const fault = req.headers['x-fault'] as Fault;
    const at = `${req.method} ${req.url}`;
    if (at === 'GET /livez' || at === 'GET /readyz') return json(200, {});
    if (at === 'GET /fences') return this.#fences(fault);
    if (at === 'GET /notes') {
      if (fault === 'fence-for-reads') await this.#assertOpen(this.#knex, undefined, fault);
      return json(200, { notes: Number((await this.#knex('notes').count({ n: '*' }))[0]?.['n']) });
    }
    const note = JSON.parse(await readText(req)) as Note;
    const key = String(req.headers['idempotency-key'] ?? '');
    try {
      return await this.#write(note, key, fault);
    } catch (error) {
      const refusal = fencedAnswer(error);
      if (refusal === undefined) throw error;
      if (fault === 'conflict') return json(409, { code: 'not_here' });
      if (fault === 'bare-421') return json(421, {});
      if (fault === 'key-keeps-refusal') await this.#keep(this.#knex, key, refusal);
      return refusal;
    }
  }

  async #fences(fault: Fault): Promise<GuardAnswer> {
    if (fault === 'no-fences') return json(404, {});
    const now = await fencesAnswer({ fences: () => knexFences(this.#knex) }, undefined);
    this.#remembered.push(now);
    return (fault === 'remembered-fences' && this.#remembered[0]) || now;
  }

  async #write(note: Note, key: string, fault: Fault): Promise<GuardAnswer> {
    if (fault === 'trace') await this.#knex('asked').insert({ id: note.id });
    if (fault === 'key-raced') {
      const known = await this.#known(this.#knex, key);
      if (known) return known;
      // Long enough for another request with this key to look as well.
      await delay(100);
    }
    if (fault === 'refusal-first' && note.owner === '') return json(422, { code: 'no_owner' });
    if (fault === 'fence-before-transaction') await this.#assertOpen(this.#knex, note, fault);
    const guard = this.#guard(fault);
    const inside = async (trx: Knex): Promise<GuardAnswer> => {
      const known = fault === 'key-raced' ? undefined : await this.#known(trx, key);
      if (known && fault !== 'key-ignored') return known;
      if (note.owner === '') return json(422, { code: 'no_owner' });
      const id = fault === 'key-ignored' ? `${note.id} ${Math.random()}` : note.id;
      await trx('notes').insert({
        id: fault === 'key-raced' ? `${id} ${Math.random()}` : id,
        owner: note.owner,
      });
      const answer = json(201, note);
      if (fault !== 'key-ignored') await this.#keep(trx, key, answer);
      return answer;
    };
    try {
      if (fault === 'no-fence' || fault === 'fence-before-transaction') {
        return await this.#knex.transaction(inside);
      }
      if (fault === 'fence-not-held') {
        return await this.#knex.transaction(async (trx) => {
          await this.#assertOpen(trx, note, fault);
          return inside(trx);
        });
      }
      const named = fault === 'whole-fence-only' ? undefined : note.owner;
      return await guard.transaction(this.#knex, inside, named);
    } catch (error) {
      // Another request with this key was first.
      const known = /unique|duplicate/i.test(String(error))
        ? await this.#known(this.#knex, key)
        : undefined;
      if (known === undefined) throw error;
      return known;
    }
  }

  #guard(fault: Fault) {
    const whenAbsent = fault === 'open-without-fence' ? 'open' : 'closed';
    return knexGuard({ capability: 'notes', whenAbsent });
  }

  /** Reads the fence, and holds nothing. */
  async #assertOpen(knex: Knex, note: Note | undefined, fault: Fault): Promise<void> {
    if (fault !== 'fence-not-held') return this.#guard(fault).assertOpen(knex, note?.owner);
    const [fence] = (await knex('fig_fence').where({ capability: 'notes', key: '*' })) as {
      state: string;
    }[];
    if (fence?.state !== 'open') await this.#guard(fault).assertOpen(knex, note?.owner);
  }

  async #known(knex: Knex, key: string): Promise<GuardAnswer | undefined> {
    const row = (await knex('request_keys').where({ key }).first()) as
      { answer: string } | undefined;
    return row && (JSON.parse(row.answer) as GuardAnswer);
  }

  async #keep(knex: Knex, key: string, answer: GuardAnswer): Promise<void> {
    await knex('request_keys')
      .insert({ key, answer: JSON.stringify(answer) })
      .onConflict('key')
      .ignore();
  }
}

/** Its tables. */
export async function createNotes(knex: Knex): Promise<void> {
  await knex.schema.createTable('notes', (t) => {
    t.text('id').primary();
    t.text('owner').notNullable();
  });
  await knex.schema.createTable('asked', (t) => void t.text('id'));
  await knex.schema.createTable('request_keys', (t) => {
    t.text('key').primary();
    t.text('answer').notNullable();
  });
}

/** knex on a URL, as a service opens its database. */
export function openKnex(url: string): Knex {
  if (!url.startsWith('file:')) return knexOf({ client: 'pg', connection: url });
  const filename = url.slice('file:'.length);
  return knexOf({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
}

function serve(url: string): void {
  const service = new NotesService(openKnex(url));
  const respond = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { status, headers, body } = await service
      .answer(req)
      .catch((error: unknown) => json(500, { error: String(error) }));
    res.writeHead(status, headers).end(JSON.stringify(body));
  };
  const server = createServer((req, res) => void respond(req, res));
  server.listen(0, '127.0.0.1', () =>
    process.send?.({ port: (server.address() as AddressInfo).port }),
  );
  process.on('disconnect', () => process.exit());
}

if (process.env['NOTES_DATABASE']) serve(process.env['NOTES_DATABASE']);
