import { isIPv4 } from 'node:net';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { redacted } from './redact.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that cannot be used; the message names the variable, its value and the remedy. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads a port number from the environment.
 * @returns 0..65535, where 0 asks the system for a free port
 * @throws ConfigurationError when the value is no port number
 */
export function readPort(env: Environment, variable: string, fallback: number): number {
  const value = env[variable];
  if (value === undefined || value === '') return fallback;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigurationError(
    `${variable}=${value} is not a port; give a whole number from 0 (a free one) to 65535`,
  );
}

/** Reads a whole, positive number (milliseconds, counts) from the environment. */
export function readNumber(env: Environment, variable: string, fallback: number): number {
  const value = env[variable];
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new ConfigurationError(`${variable}=${value} is not a number; give one of 0 or more`);
}

/** The folder that holds the databases and flags of the embedded default; made when missing. */
export function dataDirectory(env: Environment): string {
  const directory = resolve(env['FIG_DATA_DIR'] || '.fig');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** A database's URL: the variable when set, else a SQLite file of that name in the data folder. */
export function databaseUrl(env: Environment, variable: string, fileName: string): string {
  return env[variable] || `file:${join(dataDirectory(env), fileName)}`;
}

/** Base URL of another process, from its variable or the default port on this machine. */
export function serviceUrl(env: Environment, variable: string, defaultPort: number): string {
  const value = env[variable] || `http://127.0.0.1:${defaultPort}`;
  if (!URL.canParse(value)) {
    throw new ConfigurationError(
      `${variable}=${redacted(value)} is not a URL; give one such as http://127.0.0.1:${defaultPort}`,
    );
  }
  const { username, password } = new URL(value);
  if (username !== '' || password !== '') {
    throw new ConfigurationError(`${variable} names a user or a password; leave both out`);
  }
  return value.replace(/\/+$/, '');
}

/** Whether only this machine reaches a host: `127.example.com` is a name like any other. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIPv4(host) && host.startsWith('127.');
}

/**
 * Whether callers are known: FIG_AUTH=on, for all processes of a system alike.
 * @throws ConfigurationError for another value than on or off
 */
export function isAuthOn(env: Environment): boolean {
  const value = env['FIG_AUTH'] || 'off';
  if (value === 'on' || value === 'off') return value === 'on';
  throw new ConfigurationError(`FIG_AUTH=${value} is neither on nor off`);
}

/**
 * The address to listen on. Anything but loopback is refused while nothing authenticates callers,
 * unless FIG_INSECURE_BIND=1 says that the ports are published on loopback only.
 */
export function listenHost(env: Environment): string {
  const host = env['HOST'] || '127.0.0.1';
  if (isLoopback(host) || isAuthOn(env) || env['FIG_INSECURE_BIND'] === '1') return host;
  throw new ConfigurationError(
    `HOST=${host} would listen beyond this machine without authentication; ` +
      'use 127.0.0.1, switch authentication on with FIG_AUTH=on, or set FIG_INSECURE_BIND=1 where the ports are published on loopback only',
  );
}
