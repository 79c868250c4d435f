import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigurationError } from './env.ts';
import type { Environment } from './env.ts';
import { makePrivateFile } from './private-files.ts';

/**
 * What a request with a token may do: everything, read the fences of a service, or use the keys of
 * the system's own processes.
 */
export type TokenScope = 'everything' | 'fences' | 'system';

/** The operators' token, as callers send it and servers check it. */
export interface OperatorToken {
  /** Headers that a caller adds to a request; none where there is no token. */
  headers(scope?: TokenScope): Readonly<Record<string, string>>;
  /** Whether an Authorization header gives the token. The token for everything does for all scopes. */
  accepts(authorization: string | undefined, scope?: TokenScope): boolean;
  /** A text for a place that others can write to, such as Redis, with a proof of who wrote it. */
  seal(purpose: string, text: string): string;
  /** The text that was sealed for this purpose; undefined when the proof is missing or wrong. */
  unseal(purpose: string, sealed: string): string | undefined;
}

/** For programs that serve only themselves, such as a test: no header is sent, every request is accepted. */
export const NO_TOKEN: OperatorToken = {
  headers: () => ({}),
  accepts: () => true,
  seal: (_purpose, text) => text,
  unseal: (_purpose, text) => text,
};

/** The file of the operators' token: FIG_TOKEN_FILE, or `token` in the data folder. */
export function tokenFile(env: Environment): string {
  return resolve(env['FIG_TOKEN_FILE'] || join(env['FIG_DATA_DIR'] || '.fig', 'token'));
}

/**
 * Makes the token's file, readable by its user only, where there is none. Processes that start at
 * the same time agree on one token, because a link to a new name fails when the name exists.
 * @throws ConfigurationError when the file can't be made or read, or is empty
 */
export function makeTokenFile(file: string): void {
  if (readToken(file) !== undefined) return;
  try {
    makePrivateFile(file, `${randomBytes(32).toString('base64url')}\n`);
  } catch (error) {
    throw unusable(file, (error as Error).message, error);
  }
}

/** The token in a file, read again at each use: a file that was replaced counts at once. */
export function tokenIn(file: string): OperatorToken {
  return {
    headers(scope = 'everything') {
      const token = readToken(file);
      return token === undefined ? {} : { authorization: `Bearer ${inScope(token, scope)}` };
    },
    accepts(authorization, scope = 'everything') {
      const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      const token = readToken(file);
      if (given === undefined || token === undefined) return false;
      return isSame(given, token) || isSame(given, inScope(token, scope));
    },
    seal(purpose, text) {
      const token = readToken(file);
      return token === undefined ? text : `${proofOf(token, purpose, text)} ${text}`;
    },
    unseal(purpose, sealed) {
      const token = readToken(file);
      const [proof = ''] = sealed.split(' ', 1);
      const text = sealed.slice(proof.length + 1);
      if (token === undefined || !isSame(proof, proofOf(token, purpose, text))) return undefined;
      return text;
    },
  };
}

function proofOf(token: string, purpose: string, text: string): string {
  return createHmac('sha256', token).update(`${purpose}\0${text}`).digest('base64url');
}

/** Derived tokens are one-way: a service that gets one can't make the token of it. */
function inScope(token: string, scope: TokenScope): string {
  if (scope === 'everything') return token;
  return createHmac('sha256', token).update(scope).digest('base64url');
}

function readToken(file: string): string | undefined {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw unusable(file, message, error);
  }
  if (/^\S{16,}$/.test(token)) return token;
  throw unusable(file, 'it holds no token of at least 16 characters');
}

function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

function unusable(file: string, reason: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(
    `the operators' token in ${file} can't be used: ${reason}; ` +
      'set FIG_TOKEN_FILE to a file that this user can read, or delete an empty one',
    { cause },
  );
}
