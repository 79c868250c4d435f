import type { AuthRule, FigConfig } from '../../../routing/index.ts';
import { PathRules } from '../../match/index.ts';
import type { Identity, RequestForm } from '../../request/index.ts';
import { insufficientScope, unauthenticated } from './refusals.ts';

/** What callers may do, by route. */
export class Rules {
  readonly #rules: PathRules<AuthRule>;

  constructor(
    rules: readonly AuthRule[],
    config: Pick<FigConfig, 'stripsParameters' | 'monolith'>,
  ) {
    this.#rules = new PathRules(rules, config);
  }

  /**
   * Whatever a server makes of encoded slashes in the path, the caller must be allowed to do it.
   * @throws Problem 401 without a token that is needed, 403 for a caller who may not
   */
  check({ method, path }: Pick<RequestForm, 'method' | 'path'>, identity: Identity): void {
    for (const rule of this.#rules.findEach(method, path)) checkRule(rule, identity);
  }
}

/** Where no rule fits, a token is needed, and nothing more. */
function checkRule(rule: AuthRule | undefined, { subject, scopes, roles }: Identity): void {
  if (rule?.anyone) return;
  if (subject === undefined) throw unauthenticated();
  if (rule === undefined) return;
  const hasScopes = rule.scopes.every((scope) => scopes.includes(scope));
  const hasRole = rule.roles.length === 0 || rule.roles.some((role) => roles.includes(role));
  if (!hasScopes || !hasRole) throw insufficientScope(rule.scopes, rule.roles);
}
