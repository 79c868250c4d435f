/** Errors of a network on the way to a database server. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const DISK_FULL = new Set(['SQLITE_FULL', 'ENOSPC', 'EDQUOT', '53100']);
const SQLITE_DISK = /^SQLITE_(?:IOERR|CANTOPEN|READONLY)|^(?:EIO|EROFS)$/;
const SQLITE_BUSY = /^SQLITE_(?:BUSY|LOCKED)/;
/**
 * Connections (08), resources (53), an administrator or a crash (57P), a standby that is read-only, a transaction that
 * was idle for too long.
 */
const POSTGRES_AWAY = /^(?:08...|53...|57P0.|25006|25P03)$/;
/** A lock that did not come, a deadlock, a transaction that has to be run again. */
const POSTGRES_BUSY = /^(?:55P03|40P01|40001)$/;
/** What pg and knex say in words only. */
const WORDS =
  /^Connection (?:terminated|ended)|^Client (?:has encountered a connection error|was closed)|^Received unexpected \w+ message from backend|^timeout exceeded when trying to connect|^timeout expired$|^Knex: Timeout acquiring a connection/;

/**
 * Why a database could not do something that it can do again soon, in words for clients; undefined for
 * every other error, such as a statement that is wrong.
 */
export function databaseTrouble(error: unknown): string | undefined {
  const { code: given, message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  const code = typeof given === 'string' ? given : '';
  if (DISK_FULL.has(code)) return 'the disk of the database is full';
  if (SQLITE_DISK.test(code)) return 'the database can not use its disk';
  if (SQLITE_BUSY.test(code) || POSTGRES_BUSY.test(code)) return 'the database is too busy';
  const isAway = AWAY.has(code) || POSTGRES_AWAY.test(code);
  if (isAway || WORDS.test(message) || WORDS.test(withoutStatement(message))) {
    return 'the database can not be reached';
  }
  return undefined;
}

/** How a database begins what it says of a row that it refuses; the rest may hold anything. */
const SAID = /(?:CHECK|UNIQUE|NOT NULL|FOREIGN KEY) constraint failed[^]*$/;

/** What the database itself said: knex puts the statement before it, with its values on SQLite. */
export function withoutStatement(message: string): string {
  return (
    SAID.exec(message)?.[0] ?? message.slice(message.lastIndexOf(' - ') + 1).replace(/^- /, '')
  );
}
