import type { AuthConfig } from '../../../routing/index.ts';
import type { Identity } from '../../request/index.ts';
import type { IdentityKey } from './identity-key.ts';

/** How long a proof is good for, beside the time that a write may be held before it is sent. */
const PROOF_MS = 60_000;
/** How long a proof is used again. */
const REUSED_MS = 20_000;

/** What a token, or a session, says of its caller. */
export type Claims = Readonly<Record<string, unknown>>;

interface CallerOptions {
  readonly settings: Pick<AuthConfig, 'customerClaim' | 'rolesClaim' | 'claims'>;
  /** Lower-case name of the header that names the customer. */
  readonly stickyHeader: string;
  /** How long a write may be held, in ms. */
  readonly holdMs: number;
  readonly key: IdentityKey;
}

/** Makes identities of claims. */
export class Callers {
  readonly #options: CallerOptions;
  /** The caller of a request without token and session. */
  readonly anonymous: Identity;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.anonymous = this.of({});
  }

  /** @param claims those of a token that was verified, or of a session that the monolith knows */
  of(claims: Claims): Identity {
    const { settings, stickyHeader, holdMs, key } = this.#options;
    const customer = textOf(claims[settings.customerClaim]);
    const names: Record<string, string | undefined> = { [stickyHeader]: customer };
    for (const [header, claim] of Object.entries(settings.claims)) {
      names[header] = textOf(claims[claim]);
    }
    const subject = textOf(claims['sub']);
    const roles = wordsOf(claims[settings.rolesClaim]);
    const scopes = wordsOf(claims['scope']);
    const proofs = new Map<
      string,
      { readonly headers: readonly string[]; readonly until: number }
    >();
    return {
      subject,
      names,
      roles,
      scopes,
      proofFor(upstream) {
        const known = proofs.get(upstream);
        const now = performance.now();
        if (known && known.until > now) return known.headers;
        const said = { sub: subject, customer, roles, scope: scopes.join(' ') };
        const headers = ['fig-identity', key.sign(said, upstream, PROOF_MS + holdMs)];
        proofs.set(upstream, { headers, until: now + REUSED_MS });
        return headers;
      },
    };
  }
}

/** Subjects and customers may be numbers in an old session. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A list, or words in one text, as `scope` has them (RFC 8693 4.2). */
function wordsOf(value: unknown): readonly string[] {
  const words = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return words.filter((word): word is string => typeof word === 'string' && word !== '');
}
