import { databaseTrouble } from './database-trouble.ts';
import { FencedError } from './fence.ts';
import { CallFailed } from './http-client.ts';

/** Refusals that say nothing about the request: late, at the wrong side, too early, too many. */
const PASSING = new Set([408, 421, 425, 429]);

/** Whether the same request may be answered otherwise another time. */
export function isTemporaryStatus(status: number): boolean {
  return status >= 500 || PASSING.has(status);
}

/**
 * Whether what failed may go well another time, with programs and data as they are: a network, an
 * owner or a database is away. Every other error is a mistake in a program, as far as can be told.
 */
export function isTemporary(error: unknown): boolean {
  return (
    error instanceof FencedError ||
    error instanceof CallFailed ||
    databaseTrouble(error) !== undefined
  );
}
