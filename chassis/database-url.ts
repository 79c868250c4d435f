import { ConfigurationError } from './env.ts';

/** The kinds of database that there is a client for. */
export type Dialect = 'sqlite' | 'postgres';

/**
 * Which kind of database a URL names.
 * @throws ConfigurationError for any other; the message holds no password
 */
export function dialectOf(url: string): Dialect {
  if (url.startsWith('file:')) return 'sqlite';
  if (/^postgres(ql)?:\/\//.test(url)) return 'postgres';
  const scheme = schemeOf(url);
  // No more of it is shown: where it is malformed, a password may be anywhere.
  throw new ConfigurationError(
    `a database URL ${scheme === '' ? 'without a scheme' : `that begins with ${scheme}`} is not ` +
      'supported; give file:/path/to/name.db or postgres://user:password@host:port/name',
  );
}

/** The file of a SQLite URL such as `file:/var/lib/fig/monolith.db`. @throws ConfigurationError */
export function sqliteFile(url: string): string {
  if (dialectOf(url) !== 'sqlite') {
    throw new ConfigurationError(`database URL ${shownUrl(url)} is not a file`);
  }
  return url.slice('file:'.length);
}

/** A database URL as it may be shown: without the password, or of a malformed one the scheme alone. */
export function shownUrl(url: string): string {
  const scheme = schemeOf(url);
  if (scheme === 'file:') return url;
  if (!url.startsWith(`${scheme}//`) || !URL.canParse(url)) return `${scheme}…`;
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  shown.search = '';
  return shown.href;
}

function schemeOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? '';
}
