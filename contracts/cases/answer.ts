import { strict as assert } from 'node:assert';
import type { z } from 'zod';
import { PROBLEMS } from '../problems.ts';
import type { ProblemCode } from '../problems.ts';

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; its text when that is not JSON. */
  readonly body: unknown;
}

/** An answer that a case can hold against the contract. Each method throws what does not hold. */
export interface CheckedAnswer extends RawAnswer {
  /** A success with this status and a body of exactly this shape. */
  is<T>(status: number, schema: z.ZodType<T>): T;
  /** The problem with this code, in the shape and with the status the contract gives it. */
  isProblem(code: ProblemCode): Record<string, unknown>;
  /** The problem `invalid_request`, naming exactly these fields. */
  names(...fields: string[]): void;
}

function shapeOf<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const findings = result.error.issues.map((issue) => {
    const keys = issue.code === 'unrecognized_keys' ? ` (${issue.keys.join(', ')})` : '';
    return `body.${issue.path.join('.')}: ${issue.message}${keys}`;
  });
  throw new assert.AssertionError({ message: findings.join('; ') });
}

function traceOf({ headers }: RawAnswer): string | undefined {
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(headers['traceparent'] ?? '')?.[1];
}

function contentType({ headers }: RawAnswer): string | undefined {
  return headers['content-type']?.split(';')[0];
}

export function checked(answer: RawAnswer): CheckedAnswer {
  function isProblem(code: ProblemCode): Record<string, unknown> {
    const { status, schema } = PROBLEMS[code];
    const body = answer.body as Record<string, unknown>;
    assert.deepEqual([answer.status, body['code']], [status, code], 'status and code');
    assert.equal(contentType(answer), 'application/problem+json', 'content-type');
    shapeOf(schema as z.ZodType<unknown>, body);
    assert.equal(body['status'], status, 'body.status');
    assert.equal(body['type'], `urn:fig:problem:${code}`, 'body.type');
    assert.equal(body['traceId'], traceOf(answer), 'body.traceId and traceparent');
    return body;
  }
  return {
    ...answer,
    is(status, schema) {
      assert.equal(answer.status, status, `status, with ${JSON.stringify(answer.body)}`);
      assert.equal(contentType(answer), 'application/json', 'content-type');
      assert.notEqual(traceOf(answer), undefined, 'traceparent');
      return shapeOf(schema, answer.body);
    },
    isProblem,
    names(...fields) {
      const { errors } = isProblem('invalid_request') as { errors: { field: string }[] };
      assert.deepEqual(errors.map(({ field }) => field).sort(), fields.toSorted(), 'errors');
    },
  };
}
