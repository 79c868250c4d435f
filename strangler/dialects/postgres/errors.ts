import { errorText, shownUrl } from '../../../chassis/index.ts';
import { MissingRightError } from '../../check/missing-right.ts';
import { identifier } from '../../wording.ts';

/** The database did not answer, or refused to let us in; the message names it, without a password. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** Waited for a lock for longer than it may (55P03), or was chosen to give way (40P01). */
export function isLockTimeout(error: unknown): boolean {
  return ['55P03', '40P01'].includes(sqlState(error) ?? '');
}

/** The SQLSTATE of an error that a server sent. */
export function sqlState(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

const NO_RIGHTS = '42501';

function noConnect(url: string): string {
  const { username, pathname } = new URL(url);
  const user = identifier(decodeURIComponent(username));
  const database = identifier(
    decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username),
  );
  return `database ${database}: ${user} may not connect to it; GRANT CONNECT ON DATABASE ${database} TO ${user}`;
}

/** The server ended the session, or the network did. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return /^(08|57P0)/.test(state);
  return error instanceof Error && /connection|ECONN|EPIPE|socket/i.test(error.message);
}

/** Names the right that a user lacks who may not connect. */
export function unreachable(url: string, error: unknown): UnreachableError | MissingRightError {
  if (error instanceof UnreachableError) return error;
  if (sqlState(error) === NO_RIGHTS)
    return new MissingRightError([noConnect(url)], { cause: error });
  // Of a name with several addresses, each attempt has an error of its own, and the whole none.
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const reason = errorText(first);
  return new UnreachableError(`the database ${shownUrl(url)} can't be reached: ${reason}`, {
    cause: error,
  });
}
