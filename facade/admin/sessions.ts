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
  readonly #links = new Map<string, Pass>();
  readonly #sessions = new Map<string, Pass>();

  /** Makes a code for one link. @param who the operator that asks for it */
  createCode(who: string): string {
    return remember(this.#links, who, LINK_MS);
  }

  /** Takes a code, once. @returns the Set-Cookie of a new session; undefined for a code that is not good */
  enter(code: string): string | undefined {
    const pass = alive(this.#links, code);
    this.#links.delete(code);
    if (!pass) return undefined;
    const session = remember(this.#sessions, pass.who, SESSION_MS);
    const attributes = `Path=/; Max-Age=${SESSION_MS / 1_000}; HttpOnly; SameSite=Strict`;
    return `${COOKIE}=${session}; ${attributes}`;
  }

  /** Whether a browser that was let in sends a request. */
  accepts(request: IncomingMessage): boolean {
    return this.operatorOf(request) !== undefined;
  }

  /**
   * Who has let the browser in that sends a request; undefined for one that was not let in, and for a page of another
   * port of this machine: to SameSite these are one site, and cookies know no ports.
   */
  operatorOf({ headers }: IncomingMessage): string | undefined {
    const from = headers['sec-fetch-site'];
    if (from !== undefined && from !== 'same-origin' && from !== 'none') return undefined;
    const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
    for (const [name, value] of cookies) {
      const pass =
        name === COOKIE && value !== undefined ? alive(this.#sessions, value) : undefined;
      if (pass) return pass.who;
    }
    return undefined;
  }
}

/** Until when a code or a cookie is good, and whose it is. */
interface Pass {
  readonly who: string;
  readonly until: number;
}

function remember(known: Map<string, Pass>, who: string, forMs: number): string {
  const code = randomBytes(24).toString('base64url');
  known.set(code, { who, until: performance.now() + forMs });
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  return code;
}

function alive(known: ReadonlyMap<string, Pass>, code: string): Pass | undefined {
  const pass = known.get(code);
  return pass && performance.now() < pass.until ? pass : undefined;
}
