import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** How long a link may be opened, and how long a browser that did so is let in. */
const LINK_MS = 2 * 60_000;
const SESSION_MS = 12 * 60 * 60_000;
const COOKIE = 'fig_session';
/** The oldest go: whoever makes more has made them for nothing. */
const MOST = 100;

/**
 * Lets browsers in: an operator has a link made, which is good once; who opens it gets a cookie.
 * Both are kept in memory only, so that a restart ends all sessions.
 */
export class Sessions {
  readonly #links = new Map<string, number>();
  readonly #sessions = new Map<string, number>();

  /** Makes a code for one link. */
  createCode(): string {
    return remember(this.#links, LINK_MS);
  }

  /** Takes a code, once. @returns the Set-Cookie of a new session; undefined for a code that is not good */
  enter(code: string): string | undefined {
    const isGood = isAlive(this.#links, code);
    this.#links.delete(code);
    if (!isGood) return undefined;
    const session = remember(this.#sessions, SESSION_MS);
    const attributes = `Path=/; Max-Age=${SESSION_MS / 1_000}; HttpOnly; SameSite=Strict`;
    return `${COOKIE}=${session}; ${attributes}`;
  }

  /**
   * Whether a browser that was let in sends a request, and not a page of another port of this
   * machine: to SameSite these are one site, and cookies know no ports.
   */
  accepts({ headers }: IncomingMessage): boolean {
    const from = headers['sec-fetch-site'];
    if (from !== undefined && from !== 'same-origin' && from !== 'none') return false;
    const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
    return cookies.some(
      ([name, value]) => name === COOKIE && value !== undefined && isAlive(this.#sessions, value),
    );
  }
}

function remember(known: Map<string, number>, forMs: number): string {
  const code = randomBytes(24).toString('base64url');
  known.set(code, performance.now() + forMs);
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  return code;
}

function isAlive(known: ReadonlyMap<string, number>, code: string): boolean {
  return performance.now() < (known.get(code) ?? -Infinity);
}
