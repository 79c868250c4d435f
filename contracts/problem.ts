import { z } from 'zod';
import { named } from './registry.ts';

/** One thing that is wrong with a request: where, what was given, what to give instead. */
export const FieldError = named(
  'FieldError',
  z.strictObject({
    field: z.string(),
    value: z.unknown().optional(),
    message: z.string(),
    remedy: z.string(),
  }),
);
export type FieldError = z.infer<typeof FieldError>;

/** Members of every problem (RFC 9457). */
export const common = {
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  traceId: z.string().optional(),
};

/** RFC 9457 problem details without members of their own. */
export const Problem = named('Problem', z.strictObject(common));

/** Problem details that name fields. */
export const FieldProblem = named(
  'FieldProblem',
  z.strictObject({ ...common, errors: z.array(FieldError).min(1) }),
);

/** A problem that the contract knows: its status, what its answer holds, and what it means. */
export interface ProblemKind {
  readonly status: number;
  readonly schema: z.ZodType;
  readonly meaning: string;
}
