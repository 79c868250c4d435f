import type { ZodType } from 'zod';
import { fencedMembers } from '../guard/index.ts';
import type { FencedError } from '../guard/index.ts';
import { boundedList } from './bounded-list.ts';
import { schemaIssues } from './schema-issues.ts';
import { shortened } from './shortened.ts';

/** One thing that is wrong with a request: where, what was given, and what to give instead. */
interface FieldError {
  readonly field: string;
  readonly value?: unknown;
  readonly message: string;
  readonly remedy: string;
}

interface ProblemOptions {
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer other than success, as RFC 9457 problem details with a stable `code`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

/** The body of a problem+json answer. */
export function problemBody(problem: Problem, traceId?: string): Record<string, unknown> {
  return {
    type: `urn:fig:problem:${problem.code}`,
    title: problem.code.replaceAll('_', ' '),
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    ...(traceId === undefined ? {} : { traceId }),
    ...problem.members,
  };
}

export function fencedProblem(error: FencedError): Problem {
  const members = fencedMembers(error);
  return new Problem(421, 'fenced', `${error.message}; ask its owner`, { members });
}

/** A refusal that a contract has put into words, as the problem to throw. */
export function refuse(refusal: {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}): Problem {
  const { status, code, detail, members = {}, headers = {} } = refusal;
  return new Problem(status, code, detail, { members, headers });
}

export function notFound(what: string, id: string): Problem {
  return new Problem(404, 'not_found', `there is no ${what} ${JSON.stringify(id)}`);
}

export function invalidRequest(errors: readonly FieldError[]): Problem {
  const summary = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new Problem(400, 'invalid_request', summary, { members: { errors } });
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    root,
  );
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return shortened(value);
  return typeof value === 'object' && value !== null ? undefined : value;
}

/** A place that is wrong, and why; it is no known field where no message says so. */
interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly message: string | undefined;
}

/**
 * Checks a value from outside against a schema.
 * @param where names the part of the request, such as `body` or `query`
 * @param remedy what to do about a field whose value is wrong
 * @throws Problem 400 `invalid_request` with one entry for each wrong field
 */
export function parse<T>(
  schema: ZodType<T>,
  value: unknown,
  where = 'body',
  remedy = 'see /api/openapi.json for what this field takes',
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const wrong = schemaIssues(result.error).map(({ path, unknownKey, message }): Wrong =>
    unknownKey === undefined
      ? { path, message }
      : { path: [...path, unknownKey], message: undefined },
  );
  const more = (count: number): Wrong => ({ path: [], message: `${count} more fields are wrong` });
  const errors = boundedList(wrong, more).map(({ path, message }): FieldError => ({
    field: path.length > 0 ? shortened(path.join('.')) : where,
    value: shown(valueAt(value, path)),
    message: message === undefined ? 'is not a known field' : message,
    remedy: message === undefined ? 'leave it out, or correct its name' : remedy,
  }));
  throw invalidRequest(errors);
}
