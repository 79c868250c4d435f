import type { DatabaseError } from 'pg';
import { MappingError } from '../../mapping/index.ts';
import { sqlState } from './errors.ts';
import { OWNED_STATE } from './functions.ts';

/**
 * Whether an error is the fault of one change alone: what the mapping can't carry, a value that its
 * column does not take (class 22), a constraint (23), a row that is too large for an index (54000), two
 * rows of one statement that are one here (21000), one of a key that this side owns itself. One by one,
 * the rest can be written.
 */
export function isPoison(error: unknown): boolean {
  if (error instanceof MappingError) return true;
  return new RegExp(`^(21000|22|23|54000|${OWNED_STATE})`).test(sqlState(error) ?? '');
}

export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** Whether an error (unique, excluded) may go away when other rows are written beside the refused one. */
export function dependsOnOthers(error: unknown): boolean {
  return ['23505', '23P01'].includes(sqlState(error) ?? '');
}

/**
 * Why a change can't be applied, for people.
 * @param options.quoting whether values may be told: what a server says may quote them
 */
export function reasonOf(error: unknown, { quoting }: { readonly quoting: boolean }): string {
  const { message, constraint } = error as DatabaseError;
  const state = sqlState(error);
  if (quoting || state === undefined) return message;
  const where = constraint === undefined ? '' : `, constraint ${constraint}`;
  return `the database does not take it (SQLSTATE ${state}${where})`;
}
