import type { RequestHandler } from 'express';
import { Problem } from './problem.ts';

/** Ends a path's handlers: answers 405 and names the methods that the path takes. */
export function methodNotAllowed(...allowed: string[]): RequestHandler {
  return (req) => {
    throw new Problem(
      405,
      'method_not_allowed',
      `${req.path} takes ${allowed.join(', ')}, not ${req.method}`,
      { headers: { allow: allowed.join(', ') } },
    );
  };
}
