import type { Logger } from '../../../chassis/index.ts';
import { Problem, Remembered } from '../../../chassis/index.ts';
import type { AuthConfig, FigConfig } from '../../../routing/index.ts';
import type { IssuerTrouble, RequestContext } from '../../forward/index.ts';
import type { Identity, RequestForm } from '../../request/index.ts';
import type { Upstream } from '../../upstream/index.ts';
import { Callers } from './callers.ts';
import type { IdentityKey } from './identity-key.ts';
import { identityContradicted, invalidToken } from './refusals.ts';
import { Rules } from './rules.ts';
import { Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';

/** Longer ones are no tokens; many servers take no longer header either. */
const MOST_CHARACTERS = 8_192;
const MOST_TOKENS = 5_000;
/** After that a token is verified again: its key may have been withdrawn. */
const VERIFIED_MS = 60_000;

interface AuthenticationDeps {
  readonly key: IdentityKey;
  readonly log: Logger;
  readonly monolith: () => Upstream;
}

/**
 * Identifies the caller of a request, by its token or the monolith's own session, and refuses what that
 * caller may not do. From then on the customer is the token's, whatever headers say.
 */
export class Authentication {
  /** The facade itself, where it asks for something in its own name. */
  readonly system: Identity;
  readonly #rules: Rules;
  readonly #tokens: Tokens;
  readonly #sessions: Sessions | undefined;
  readonly #callers: Callers;
  readonly #stickyHeader: string;
  readonly #verified = new Remembered<Identity>(MOST_TOKENS);
  readonly #skewMs: number;
  readonly #log: Logger;

  /** @throws ConfigurationError when the secret can't be used */
  constructor(
    settings: AuthConfig,
    config: Pick<FigConfig, 'stickyHeader' | 'limits' | 'stripsParameters' | 'monolith'>,
    { key, log, monolith }: AuthenticationDeps,
  ) {
    const { stickyHeader, limits } = config;
    this.#rules = new Rules(settings.rules, config);
    this.#tokens = new Tokens(settings, log);
    const callers = new Callers({ settings, stickyHeader, holdMs: limits.holdMs, key });
    this.#callers = callers;
    this.#sessions =
      settings.session && new Sessions(settings.session, monolith, (claims) => callers.of(claims));
    this.system = callers.of({ sub: 'fig', [settings.rolesClaim]: ['staff'] });
    this.#stickyHeader = stickyHeader;
    this.#skewMs = settings.clockSkewMs;
    this.#log = log;
  }

  /**
   * The guard. It returns at once for a token that was verified before.
   * @throws Problem 400, 401, 403, or 503 where the monolith can't say whose session it is
   */
  admit(context: RequestContext): Promise<void> | undefined {
    const { headers } = context.form;
    const token = bearerIn(headers);
    if (token !== undefined) {
      const known = this.#verified.get(token);
      if (known === undefined) return this.#verify(context, token);
      this.#enter(context, known);
      return undefined;
    }
    const sessions = this.#sessions;
    const cookie = sessions?.cookieIn(headers);
    if (sessions && cookie !== undefined)
      return this.#recognise(context, sessions.identityOf(cookie));
    this.#enter(context, this.#callers.anonymous);
    return undefined;
  }

  async #verify(context: RequestContext, token: string): Promise<void> {
    const payload = await this.#tokens.verify(token);
    const identity = this.#callers.of(payload);
    if (identity.subject === undefined) throw invalidToken('it names no subject');
    const now = Date.now();
    const expiresAt = (payload.exp ?? 0) * 1_000 + this.#skewMs;
    this.#verified.set(token, identity, Math.min(now + VERIFIED_MS, expiresAt));
    this.#enter(context, identity);
  }

  async #recognise(context: RequestContext, asked: Promise<Identity | undefined>): Promise<void> {
    let identity: Identity;
    try {
      identity = (await asked) ?? this.#callers.anonymous;
    } catch (error) {
      this.#log.warn({ err: error }, "the monolith can't say whose session it is");
      const detail =
        "the monolith can't say whose session this is; nothing has happened, try again";
      throw new Problem(503, 'session_unknown', detail, { headers: { 'retry-after': '1' } });
    }
    this.#enter(context, identity);
  }

  #enter(context: RequestContext, identity: Identity): void {
    const { form } = context;
    // A browser asks whether a page may send a request, before and without its token.
    if (!isPreflight(form)) this.#rules.check(form, identity);
    context.identity = identity;
    context.form = named(form, identity, this.#stickyHeader);
  }

  get issuerTrouble(): IssuerTrouble | undefined {
    return this.#tokens.issuerTrouble;
  }

  close(): void {
    this.#tokens.close();
  }
}

/** @throws Problem 401 for two Authorization headers, or one that is too long */
function bearerIn(headers: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length !== 13 || name.toLowerCase() !== 'authorization') continue;
    if (found !== undefined) throw invalidToken('there are two Authorization headers');
    found = headers[index + 1] as string;
  }
  if (found === undefined || !/^bearer( |$)/i.test(found)) return undefined;
  if (found.length > MOST_CHARACTERS) throw invalidToken('it is too long');
  return found.slice(6).trim();
}

function isPreflight({ method, headers }: RequestForm): boolean {
  return (
    method === 'OPTIONS' &&
    headers.some(
      (name, index) => index % 2 === 0 && name.toLowerCase() === 'access-control-request-method',
    )
  );
}

/**
 * The request with the names that its caller's token has, in place of those that its headers claim.
 * @throws Problem 403 when a header of a known caller names another customer
 */
function named(form: RequestForm, identity: Identity, stickyHeader: string): RequestForm {
  const { names } = identity;
  // An anonymous caller's claim to be a customer counts as nothing said.
  const isAnonymous = identity.subject === undefined;
  const headers = isAnonymous ? without(form.headers, names) : form.headers;
  const keys: Record<string, string> = {};
  for (const [header, proven] of Object.entries(names)) {
    const claimed = header === stickyHeader ? form.customer : form.keys?.[header];
    if (!isAnonymous && claimed !== undefined && claimed !== proven) {
      throw identityContradicted(header);
    }
    if (proven === undefined) continue;
    if (claimed === undefined) set(headers, header, proven);
    if (header !== stickyHeader) keys[header] = proven;
  }
  return { ...form, headers, customer: names[stickyHeader], keys };
}

/** An empty header counts as none, and is there all the same. */
function set(headers: string[], header: string, value: string): void {
  const at = headers.findIndex(
    (name, index) =>
      index % 2 === 0 && name.length === header.length && name.toLowerCase() === header,
  );
  if (at === -1) headers.push(header, value);
  else headers[at + 1] = value;
}

function without(headers: readonly string[], names: Identity['names']): string[] {
  return headers.filter(
    (_text, index) => !((headers[index - (index % 2)] as string).toLowerCase() in names),
  );
}
