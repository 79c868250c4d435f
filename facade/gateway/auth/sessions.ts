import { Remembered } from '../../../chassis/index.ts';
import type { AuthConfig } from '../../../routing/index.ts';
import { fetchWhole } from '../../upstream/index.ts';
import type { Identity } from '../../request/index.ts';
import type { Observation, Upstream } from '../../upstream/index.ts';
import type { Claims } from './callers.ts';

const MOST_SESSIONS = 10_000;

/** Who owns a session of the monolith's, as it says itself. */
export class Sessions {
  readonly #settings: NonNullable<AuthConfig['session']>;
  readonly #monolith: () => Upstream;
  readonly #identityOf: (claims: Claims) => Identity;
  /** Answers, and those that are awaited, so that a page's many requests ask once. */
  readonly #known = new Remembered<Promise<Identity | undefined>>(MOST_SESSIONS);

  constructor(
    settings: NonNullable<AuthConfig['session']>,
    monolith: () => Upstream,
    identityOf: (claims: Claims) => Identity,
  ) {
    this.#settings = settings;
    this.#monolith = monolith;
    this.#identityOf = identityOf;
  }

  /** The session's cookie in Cookie headers; undefined where there is none. */
  cookieIn(headers: readonly string[]): string | undefined {
    const { cookie: wanted } = this.#settings;
    for (let index = 0; index < headers.length; index += 2) {
      if (headers[index]?.toLowerCase() !== 'cookie') continue;
      for (const pair of (headers[index + 1] ?? '').split(';')) {
        const equals = pair.indexOf('=');
        if (equals !== -1 && pair.slice(0, equals).trim() === wanted)
          return pair.slice(equals + 1).trim();
      }
    }
    return undefined;
  }

  /**
   * Asks the monolith whose session it is, unless it said so just now.
   * @returns undefined where it knows no such session
   * @throws Error when it does not answer, or with something else than claims
   */
  identityOf(cookie: string): Promise<Identity | undefined> {
    const known = this.#known.get(cookie);
    if (known) return known;
    const asked = this.#ask(cookie);
    this.#known.set(cookie, asked, Date.now() + this.#settings.cacheMs);
    // One failure is not to refuse a session for seconds.
    asked.catch(() => this.#known.delete(cookie));
    return asked;
  }

  async #ask(cookie: string): Promise<Identity | undefined> {
    const { path: target, cookie: name } = this.#settings;
    const headers = ['accept', 'application/json', 'cookie', `${name}=${cookie}`];
    const { status, body } = await new Promise<Observation>((resolve, reject) => {
      const form = { method: 'GET', target, headers };
      fetchWhole(this.#monolith(), { form, body: null }, [], { answered: resolve, failed: reject });
    });
    if (status === 401 || status === 403) return undefined;
    if (status !== 200) throw new Error(`the monolith answered ${status} at ${target}`);
    const claims: unknown = JSON.parse(body.toString('utf8'));
    if (typeof claims !== 'object' || claims === null) throw new Error('no claims in the answer');
    return this.#identityOf(claims as Claims);
  }
}
