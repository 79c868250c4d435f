import type { ZodError } from 'zod';
import { shortened } from './shortened.ts';

/** One thing that a schema finds wrong. */
export interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  /** A key at the path that the schema does not have. */
  readonly unknownKey?: string;
  readonly message: string;
}

/**
 * What a schema finds wrong, each unknown key apart: zod names all unknown keys of an object in one
 * message, which no bound on the number of issues makes short.
 */
export function schemaIssues({ issues }: ZodError): readonly SchemaIssue[] {
  return issues.flatMap((issue): SchemaIssue[] => {
    const { path, message } = issue;
    if (issue.code !== 'unrecognized_keys') return [{ path, message }];
    return issue.keys.map((unknownKey) => {
      const named = JSON.stringify(shortened(unknownKey));
      return { path, unknownKey, message: `Unrecognized key: ${named}` };
    });
  });
}
