import type { Step } from '../../check/step.ts';
import { errorText } from '../../../chassis/index.ts';
import { decodeRow } from '../../mapping/index.ts';
import type { SqlValue } from '../../mapping/index.ts';
import { castSql, textOf } from './columns.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import type { Column } from './schema.ts';
import { encodedSql } from './values.ts';

const SMALL: Readonly<Record<string, number>> = { int2: 2 ** 15, int4: 2 ** 31, int8: 2 ** 53 };

/**
 * Asks the server what a column makes of values. They are given to variables of the column's type, in functions of
 * the session's own that are gone with it: nothing is written to a table, no trigger fires, no sequence is used up.
 */
export class ColumnProbe {
  readonly #connection: PostgresConnection;
  readonly #utf8: boolean;
  /** The functions of each session, by the type that they try. */
  readonly #made = new WeakMap<PostgresClient, Map<string, string>>();

  /** @param encoding the database's */
  constructor(connection: PostgresConnection, encoding: string) {
    this.#connection = connection;
    this.#utf8 = encoding === 'UTF8';
  }

  /** What the column holds after the applier gave it each of the values, in the form of images. */
  async ask(column: Column, values: readonly SqlValue[]): Promise<readonly Step[]> {
    const steps = values.map((value) => this.#known(column, value));
    const texts = [...new Set(steps.filter((step) => typeof step === 'string'))];
    if (texts.length === 0) return steps as Step[];
    const answers = await this.#connection.alone(0, async (client) => {
      const { rows } = await client.query<{ answer: string }>(
        `SELECT ${await this.#functionFor(client, column)}(v) AS answer
           FROM unnest($1::text[]) WITH ORDINALITY u (v, nr) ORDER BY nr`,
        [texts.map((text) => Buffer.from(text).toString('hex'))],
      );
      return rows;
    });
    const held = new Map(texts.map((text, index) => [text, stepOf(answers[index]?.answer ?? '')]));
    return steps.map((step) => (typeof step === 'string' ? held.get(step) : step)) as Step[];
  }

  /** What is clear without asking, as nearly all is; else the value as the applier writes it. */
  #known({ type, kind, declared }: Column, value: SqlValue): Step | string {
    if (value === null) return { ok: true, value };
    if (value instanceof Uint8Array) {
      if (kind === 'bytes') return { ok: true, value };
      return { ok: false, reason: `invalid input for type ${declared}: bytes` };
    }
    const small = SMALL[type] ?? 0;
    if (Number.isInteger(value) && Math.abs(Number(value)) < small && !Object.is(value, -0)) {
      return { ok: true, value };
    }
    try {
      const text = textOf(value) ?? '';
      if (text.includes('\0')) return { ok: false, reason: 'it has a NUL in it' };
      return declared === 'text' && this.#utf8 ? { ok: true, value: text } : text;
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  /**
   * Values come as bytes, so that one which the database's encoding has no character for is refused by
   * itself, where it would else keep the others from being asked about.
   */
  async #functionFor(client: PostgresClient, column: Column): Promise<string> {
    const made = this.#made.get(client) ?? new Map<string, string>();
    this.#made.set(client, made);
    const known = made.get(column.declared);
    if (known !== undefined) return known;
    const called = `pg_temp.fig_probe_${made.size}`;
    const withRemedy = async (error: unknown): Promise<never> => {
      throw isForbidden(error) ? await missingRight(client) : error;
    };
    await client
      .query(
        `CREATE OR REPLACE FUNCTION ${called}(given text) RETURNS text LANGUAGE plpgsql AS $fig$
      DECLARE
        held ${column.declared};
        plain text;
      BEGIN
        plain := convert_from(decode(given, 'hex'), 'UTF8');
        held := ${castSql(column, 'plain')};
        RETURN 'v' || ${encodedSql('held', column.kind)};
      EXCEPTION WHEN OTHERS THEN
        RETURN 'e' || SQLERRM;
      END $fig$`,
      )
      .catch(withRemedy);
    made.set(column.declared, called);
    return called;
  }
}

function isForbidden(error: unknown): boolean {
  return (error as { code?: unknown }).code === '42501';
}

async function missingRight(client: PostgresClient): Promise<Error> {
  const { rows } = await client.query<{ remedy: string }>(
    `SELECT format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), current_user) AS remedy`,
  );
  return new Error(
    `asking the server what the column makes of values takes a function of the session's own; ${rows[0]?.remedy}`,
  );
}

function stepOf(answer: string): Step {
  const said = answer.slice(1);
  if (answer.startsWith('e')) return { ok: false, reason: said };
  return { ok: true, value: decodeRow(`{"v":${said}}`)['v'] ?? null };
}
